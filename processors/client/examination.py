"""Examines an installation: each part is checked separately, with advice for what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, NamedTuple

import httpx
from sqlalchemy import text

from processors.bootstrap.clients import access_rules, cluster, registry_client, stream_settings
from processors.bootstrap.ledger import bounds, identify
from processors.bootstrap.sealing import seals
from processors.bootstrap.trust import matrix_trust
from processors.client.matrix_topic import read_matrix
from processors.configuration import guard
from processors.configuration.settings import Settings
from processors.contracts.access import rules
from processors.contracts.files import Contract, load_contract
from processors.contracts.plan import Create, Plan, RegisterSchema, SetCompatibility, SetConfig, diff
from processors.errors import GuardError, RegistryUnavailable, SettingsInvalid, Unavailable
from processors.ledger.database import connect, head, reading, revision
from processors.ledger.keys import read_keys
from processors.ledger.taking_up import obstacles, standing
from processors.staleness.freshness import Level, level
from processors.stream.admin.members import broker_count, members
from processors.stream.io.clients import admin, beyond_loopback

PATIENCE: Final = 5.0
"""Seconds that a server has to answer."""

SKEW: Final = 5_000
"""Milliseconds by which clocks may differ before a matrix or an approval is judged by the wrong hour."""

RUNNING: Final = ("checker", "exception-workflow", "ledger", "staleness")
"""The processors that every installation runs, by the names of their groups."""


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNREACHABLE = "unreachable"


class Examined(NamedTuple):
    """One part of the installation: its state, what was found, and what to do about it."""

    part: str
    state: State
    found: str
    to_do: str = ""


Examine = Callable[[Settings], Examined]


def examine(of: Settings) -> Iterator[Examined]:
    """Each part in turn, as it is checked. A part is unreachable if the server that it needs does not answer."""
    broker = _told("broker", _broker, of)
    yield broker
    yield _told("registry", _registry, of)
    yield _told("configuration", _configuration, of)
    on_broker: dict[str, Examine] = {
        "topics": _topics,
        "schemas": _schemas,
        "durability": _durability,
        "access rules": _access,
        "matrix": _matrix,
        "processors": _processors,
    }
    for part, look in on_broker.items():
        if broker.state is State.OK:
            yield _told(part, look, of)
        else:
            yield Examined(part, State.UNREACHABLE, "not asked, because the broker does not answer")
    yield _told("keys", _keys, of)
    yield _told("ledger", _ledger, of)
    yield _told("clock", _clock, of)


def _told(part: str, look: Examine, of: Settings) -> Examined:
    try:
        return look(of)
    except Unavailable as error:
        return Examined(part, State.UNREACHABLE, str(error), _WAYS_OUT.get(part, ""))
    except GuardError as error:
        return Examined(part, State.WRONG, str(error), _WAYS_OUT.get(part, ""))


_WAYS_OUT: Final = {
    "broker": "start it, or correct GUARD_KAFKA__BOOTSTRAP",
    "registry": "start it, or correct GUARD_REGISTRY__URL",
    "configuration": "compat-guard config check",
    "topics": "compat-guard topics apply",
    "schemas": "compat-guard topics apply",
    "ledger": "start Postgres, or correct GUARD_POSTGRES__URL; then compat-guard ledger migrate",
}


def _broker(of: Settings) -> Examined:
    count = broker_count(admin(stream_settings(of)), PATIENCE)
    return Examined("broker", State.OK, f"{count} at {of.kafka.bootstrap}")


def _registry(of: Settings) -> Examined:
    with registry_client(of.registry) as client:
        answer = _asked(client)
    found = f"{len(answer.json())} subjects at {of.registry.url.rpartition('@')[2]}"
    return Examined("registry", State.OK, found)


def _asked(client: httpx.Client) -> httpx.Response:
    try:
        return client.get("/subjects", timeout=PATIENCE).raise_for_status()
    except httpx.HTTPError as error:
        raise RegistryUnavailable(f"the registry does not answer: {error}") from error


def _configuration(of: Settings) -> Examined:
    guard.load(of.config)
    return Examined("configuration", State.OK, str(of.config))


def _topics(of: Settings) -> Examined:
    steps = [step for step in _plan(of).steps if isinstance(step, Create | SetConfig)]
    return _as_declared("topics", [step.topic for step in steps])


def _schemas(of: Settings) -> Examined:
    steps = [step for step in _plan(of).steps if isinstance(step, RegisterSchema | SetCompatibility)]
    return _as_declared("schemas", [step.subject for step in steps])


def _plan(of: Settings) -> Plan:
    contract = _contract(of)
    with cluster(of) as there:
        return diff(contract, there.read(contract))


def _contract(of: Settings) -> Contract:
    return load_contract(of.config / "topics.yaml", of.schemas)


def _durability(of: Settings) -> Examined:
    if beyond_loopback(of.kafka.bootstrap) is None:
        return Examined("durability", State.OK, "not asked of brokers on loopback")
    contract = _contract(of)
    with cluster(of) as there:
        topics = there.read(contract).topics
    declared = [topic.name for topic in contract.topics.topics if topic.name in topics]
    at_risk = [name for name in declared if not topics[name].outlives_a_broker]
    if not at_risk:
        return Examined("durability", State.OK, f"{len(declared)} topics outlive the loss of a broker")
    found = f"the loss of one broker loses records of, or stops, {_few(at_risk)}"
    return Examined("durability", State.WARNING, found, _REPLICATE)


_REPLICATE: Final = "three replicas and min.insync.replicas=2 for each topic; the broker's defaults set both"


def _as_declared(part: str, differing: Sequence[str]) -> Examined:
    if not differing:
        return Examined(part, State.OK, "as declared")
    found = f"{len(differing)} differ from what is declared: {_few(differing)}"
    return Examined(part, State.WRONG, found, "compat-guard topics diff, then topics apply")


def _access(of: Settings) -> Examined:
    wanted, local = rules({}), beyond_loopback(of.kafka.bootstrap) is None
    try:
        found = access_rules(of).read()
    except SettingsInvalid as error:
        return Examined("access rules", State.OK if local else State.WARNING, str(error), "" if local else _ACLS)
    if local and not found:
        return Examined("access rules", State.OK, "none; on loopback every client is the same principal")
    missing = wanted - found
    if not missing:
        return Examined("access rules", State.OK, f"{len(wanted)} rules, none missing")
    lacking = sorted({rule.principal for rule in missing})
    return Examined("access rules", State.WRONG, f"{len(missing)} missing, of {_few(lacking)}", _ACLS)


_ACLS: Final = "compat-guard acls diff, then acls apply"


def _matrix(of: Settings) -> Examined:
    warn_at, now = guard.load(of.config).staleness.warn_at, time.time_ns() // 1_000_000
    matrix = read_matrix(of)[0].snapshot()
    if not matrix.sources or matrix.missing:
        lacking = ", ".join(matrix.missing) or "every source"
        return Examined("matrix", State.WRONG, f"missing: {lacking}; every request blocks", _PUBLISH)
    states = {source.name: level(source, warn_at, now) for source in matrix.sources}
    soonest = min(matrix.sources, key=lambda source: source.expires_at)
    found = f"{len(states)} source(s); {soonest.name} expires in {(soonest.expires_at - now) / 3_600_000:.1f} h"
    bad = [name for name, state in states.items() if state in (Level.EXPIRED, Level.AHEAD)]
    if bad:
        return Examined("matrix", State.WRONG, f"expired or from the future: {', '.join(bad)}", _PUBLISH)
    if Level.AGEING in states.values():
        return Examined("matrix", State.WARNING, found, _PUBLISH)
    return Examined("matrix", State.OK, found)


_PUBLISH: Final = "compat-guard matrix publish FILE, or matrix sync"


def _processors(of: Settings) -> Examined:
    counts = members(admin(stream_settings(of)), RUNNING)
    silent = [name for name, count in counts.items() if not count]
    found = ", ".join(f"{name} {count}" for name, count in counts.items())
    if not silent:
        return Examined("processors", State.OK, found)
    return Examined("processors", State.WRONG, f"not running: {', '.join(silent)}", f"compat-guard run {silent[0]}")


def _keys(of: Settings) -> Examined:
    """Checks the keys without which a processor would refuse to start."""
    ways_out: list[str] = []
    found: list[str] = []
    for what, read, way_out in (
        ("ledger", lambda: read_keys(of.ledger.keys), "compat-guard ledger keys"),
        ("seals", lambda: seals(of), "compat-guard seals make FILE"),
        ("matrix", lambda: matrix_trust(of), "compat-guard matrix keys FILE"),
    ):
        try:
            read()
        except GuardError as error:
            found.append(f"{what}: {error}")
            ways_out.append(way_out)
    if found:
        return Examined("keys", State.WRONG, "; ".join(found), "; ".join(ways_out))
    return Examined("keys", State.OK, "of the ledger, of seals, and of those who publish the matrix")


def _ledger(of: Settings) -> Examined:
    engine = connect(of.postgres.url.get_secret_value(), "guard_auditor")
    try:
        with reading(engine, PATIENCE) as connection:
            at = revision(connection)
            if at != head():
                return Examined("ledger", State.WRONG, f"migrated to {at or 'nothing'}, not to {head()}", _MIGRATE)
            stands = standing(connection)
    finally:
        engine.dispose()
    found = obstacles(stands, identify(of), bounds(of))
    if found:
        others = f"; {len(found) - 1} more" if len(found) > 1 else ""
        way_out = "compat-guard ledger take-up, once you know why"
        return Examined("ledger", State.WRONG, f"it cannot continue: {found[0].message}{others}", way_out)
    return Examined("ledger", State.OK, f"migrated to {at}")


_MIGRATE: Final = "compat-guard ledger migrate"


def _clock(of: Settings) -> Examined:
    """Compared with the servers that report the time. A broker does not."""
    apart = dict(_differences(of))
    if not apart:
        return Examined("clock", State.WARNING, "no server reports a time to compare with")
    who, worst = max(apart.items(), key=lambda item: abs(item[1]))
    found = f"{abs(worst) / 1000:.1f} s {'behind' if worst > 0 else 'ahead of'} {who}"
    if abs(worst) > SKEW:
        return Examined("clock", State.WRONG, found, "let both follow one time server")
    return Examined("clock", State.OK, found)


def _differences(of: Settings) -> Iterator[tuple[str, int]]:
    """Milliseconds by which a server's clock is ahead of ours. HTTP reports whole seconds."""
    try:
        with registry_client(of.registry) as client:
            if date := _asked(client).headers.get("date"):
                yield "the registry", int(parsedate_to_datetime(date).timestamp() * 1000) + 500 - _now()
    except GuardError:
        pass  # reported for the registry itself
    engine = connect(of.postgres.url.get_secret_value(), "guard_auditor")
    try:
        with reading(engine, PATIENCE) as connection:
            query = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            yield "Postgres", connection.execute(query).scalar_one() - _now()
    except GuardError:
        pass  # reported for the ledger itself
    finally:
        engine.dispose()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _few(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
