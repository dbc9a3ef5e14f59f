"""`compat-guard exception rebuild`: rebuilds the state of exceptions from the topics, after a loss of its
changelog."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing

import typer

from processors.bootstrap.clients import codec, stream_settings
from processors.bootstrap.exception_workflow import read_policy
from processors.bootstrap.sealing import seals
from processors.bootstrap.trusted_keys import TrustedKeys
from processors.cli import talk
from processors.configuration.settings import Settings, settings
from processors.errors import SettingsInvalid
from processors.events.exceptions import ExceptionDecided
from processors.events.topics import EXCEPTION_DECISIONS, EXCEPTION_STATE
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rebuild import Rebuilt, rebuild, same
from processors.exception_workflow.state.case import ExceptionCase, Held
from processors.stream.admin.members import members
from processors.stream.io.atomically import publish_atomically
from processors.stream.io.clients import admin
from processors.stream.io.follow import Follower
from processors.stream.loop.restore import Restored
from processors.stream.loop.state import KeyedState, changelog_records
from processors.stream.types import Inbound, StateSpec, Write
from processors.stream.wire.codec import Codec
from processors.stream.wire.partitioner import partition_of
from processors.stream.wire.reader import decision_reader, lenient


def rebuild_exceptions(*, write: bool) -> None:
    """Compare the topics with the changelog, and write what is missing in the changelog if requested."""
    with codec(settings()) as events:
        rebuilt = _rebuild_all(settings(), events)
        differing = _differing(settings(), events, rebuilt)
        _show(rebuilt, differing)
        if write and differing:
            _write(settings(), events, differing)
            differing = _differing(settings(), events, rebuilt)
            talk().print(f"written; {len(differing)} differ still", highlight=False)
    raise typer.Exit(1 if differing or any(one.problems for one in rebuilt) else 0)


def _rebuild_all(of: Settings, events: Codec) -> list[Rebuilt]:
    policy = read_policy(of)
    workflow = ExceptionWorkflow(events, policy, TrustedKeys(policy, of.config), seals(of))
    read = decision_reader(events)
    skipping = lenient(read)
    inputs = _inputs(of, workflow)
    published: defaultdict[str, list[ExceptionDecided]] = defaultdict(list)
    with closing(Follower(stream_settings(of), "rebuild", brief=True)) as follower:
        count = follower.partitions(EXCEPTION_STATE)
        follower.from_beginning([EXCEPTION_DECISIONS])
        for record in follower.read():
            if (decision := skipping(record.value)) is None:
                continue
            published[decision.exception_id].append(decision)
    return [
        rebuild(workflow, policy, decisions, inputs, partition_of(id.encode(), count), count, read)
        for id, decisions in published.items()
    ]


def _inputs(of: Settings, workflow: ExceptionWorkflow) -> Mapping[str, Inbound]:
    with closing(Follower(stream_settings(of), "rebuild", brief=True)) as follower:
        follower.from_beginning(workflow.inputs)
        return {f"{r.topic}/{r.partition}/{r.offset}": r for r in follower.read()}


def _differing(of: Settings, events: Codec, rebuilt: list[Rebuilt]) -> dict[str, ExceptionCase | None]:
    """What the changelog should contain and does not, by exception."""
    restored = _restored(of, events).values()
    held = {key: case for one in restored for key, case in one.values.items() if _is_exception(case)}
    wanted = {one.exception_id: one.case for one in rebuilt if one.case is not None and one.case.exists}
    return {id: wanted.get(id) for id in held.keys() | wanted.keys() if not same(held.get(id), wanted.get(id))}


def _write(of: Settings, events: Codec, differing: Mapping[str, ExceptionCase | None]) -> None:
    _require_stopped(of)
    state = KeyedState()
    for partition, restored in _restored(of, events).items():
        state.take(partition, restored)
    with closing(Follower(stream_settings(of), "rebuild")) as follower:
        count = follower.partitions(EXCEPTION_STATE)
    writes = [Write(partition_of(id.encode(), count), id, case) for id, case in differing.items()]
    records = changelog_records(_spec(of, events), writes, seals(of), state)
    publish_atomically(stream_settings(of), "exception-rebuild", records)


def _restored(of: Settings, events: Codec) -> Mapping[int, Restored]:
    """The changelog as a restart would restore it."""
    spec, known = _spec(of, events), seals(of)
    found: defaultdict[int, Restored] = defaultdict(Restored)
    with closing(Follower(stream_settings(of), "rebuild", brief=True)) as follower:
        follower.from_beginning([EXCEPTION_STATE])
        for record in follower.read():
            found[record.partition].take(record, spec, known)
    return found


def _spec(of: Settings, events: Codec) -> StateSpec:
    policy = read_policy(of)
    return ExceptionWorkflow(events, policy, TrustedKeys(policy, of.config), seals(of)).state


def _is_exception(held: Held) -> bool:
    return isinstance(held, ExceptionCase) and held.exists


def _require_stopped(of: Settings) -> None:
    """A running workflow holds the state that is being replaced, and would write it again."""
    name = ExceptionWorkflow.name
    if members(admin(stream_settings(of)), [name])[name]:
        raise SettingsInvalid(
            f"group `{name}` has members; stop the exception workflow, and then rewrite its state"
        )


def _show(rebuilt: list[Rebuilt], differing: Mapping[str, ExceptionCase | None]) -> None:
    for one in rebuilt:
        for problem in one.problems:
            typer.echo(f"{one.exception_id}: {problem}")
    for id, case in differing.items():
        typer.echo(f"{id}: the changelog lacks {case.status if case is not None else 'its end'}")
    equal = sum(one.case is not None for one in rebuilt) - len(differing)
    talk().print(f"{len(rebuilt)} rebuilt, {equal} equal, {len(differing)} differ", highlight=False)
