"""A second opinion on plans: it tries whole installations, and knows nothing of ranges or searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import NamedTuple

from examples.questions import HOUR, NOON, document

from processors.events.report import Change
from processors.events.subject import Host, InstalledPlugin, Manifest, Requirement, Subject
from processors.events.vocabulary import RemedyKind
from processors.matrix.document import Release
from processors.matrix.merged import Matrix

ASKED, OTHERS = "a", ("b", "c", "d")
VERSIONS = ("1.0.0", "2.0.0", "3.0.0")
RANGES: Mapping[str, tuple[str, ...]] = {
    "*": VERSIONS,
    "^1.0.0": VERSIONS[:1],
    "^2.0.0": VERSIONS[1:2],
    ">=2.0.0": VERSIONS[1:],
    "<3.0.0": VERSIONS[:2],
}
HOSTS = ("1.0.0", "2.0.0")


class Stated(NamedTuple):
    """What one release says of itself."""

    host: str
    needs: tuple[tuple[str, str], ...]
    conflicts: tuple[tuple[str, str], ...]


class There(NamedTuple):
    """A plugin that is installed."""

    version: str
    enabled: bool


@dataclass(frozen=True)
class World:
    """A catalogue, an installation, and a request for `asked` of plugin a."""

    catalogue: Mapping[tuple[str, str], Stated]
    installed: Mapping[str, There]
    host: str
    asked: str


Cost = tuple[int, int, int, int]
"""Removals, downgrades, whether the host is upgraded, and changes."""


def a_world(dice: Random) -> World:
    releases = {(id, v) for id in (ASKED, *OTHERS) for v in VERSIONS if dice.random() < 0.7}
    asked = dice.choice(VERSIONS)
    there = {id: There(dice.choice(VERSIONS), dice.random() < 0.85) for id in OTHERS if dice.random() < 0.6}
    before = dice.choice(VERSIONS) if dice.random() < 0.3 else None
    if before is not None and before < asked:
        there[ASKED] = There(before, True)
    releases |= {(ASKED, asked), *((id, plugin.version) for id, plugin in there.items())}
    return World({at: _stated(at[0], dice) for at in sorted(releases)}, there, dice.choice(HOSTS), asked)


def _stated(id: str, dice: Random) -> Stated:
    others = [other for other in (ASKED, *OTHERS) if other != id]
    needs = tuple((o, dice.choice([*RANGES])) for o in others if o != ASKED and dice.random() < 0.3)
    conflicts = tuple((o, dice.choice([*RANGES])) for o in others if dice.random() < 0.12)
    return Stated(dice.choice(["*", "*", "^1.0.0", ">=2.0.0"]), needs, conflicts)


def question(world: World) -> tuple[Subject, Matrix]:
    """The same world as the check takes it. What is installed is told by the catalogue."""
    releases = tuple(
        Release("", "1", 0, id, version, {"*": s.host}, _needs(s.needs), _needs(s.conflicts))
        for (id, version), s in world.catalogue.items()
    )
    undeclared = {"host": "allow", "runtime": "allow", "matrix": "allow"}
    head = document("governance", (), releases, undeclared=undeclared)
    hosts = {"h": replace(head.hosts["h"], releases=HOSTS)}
    installed = tuple(InstalledPlugin(id, p.version, p.enabled) for id, p in world.installed.items())
    subject = Subject(
        manifest=Manifest(id=ASKED, version=world.asked), host=Host("h", world.host), installed=installed
    )
    return subject, Matrix.of([(replace(head, hosts=hosts), NOON, NOON + HOUR)])


def _needs(stated: tuple[tuple[str, str], ...]) -> tuple[Requirement, ...]:
    return tuple(Requirement(id, range) for id, range in stated)


@dataclass(frozen=True)
class State:
    """An installation as it is at some moment."""

    world: World
    plugins: Mapping[str, There]
    host: str

    def works(self, id: str) -> bool:
        """The plugin and all that it needs: there, enabled, admitted, on this host, in no conflict, no circle."""
        if self.host not in RANGES[self._stated(id).host]:
            return False
        waiting, seen = [id], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for needed, range in self._stated(name).needs:
                there = self.plugins.get(needed)
                if needed == id or there is None or not there.enabled or there.version not in RANGES[range]:
                    return False
                waiting.append(needed)
        return not any(self.clashes(name) for name in seen)

    def clashes(self, id: str) -> bool:
        """With any plugin that is enabled, whichever of the two declares it."""
        return any(self._is_foe(id, other) or self._is_foe(other, id) for other in self.plugins if other != id)

    def _is_foe(self, owner: str, other: str) -> bool:
        if not (self.plugins[owner].enabled and self.plugins[other].enabled):
            return False
        return any(
            id == other and self.plugins[other].version in RANGES[r] for id, r in self._stated(owner).conflicts
        )

    def _stated(self, id: str) -> Stated:
        return self.world.catalogue[id, self.plugins[id].version]


def start(world: World) -> State:
    return State(world, world.installed, world.host)


def after(state: State, change: Change) -> State:
    plugins = dict(state.plugins)
    match change.kind:
        case RemedyKind.UPGRADE_HOST:
            return replace(state, host=change.to or "")
        case RemedyKind.REMOVE_CONFLICT:
            plugins.pop(change.target)
        case RemedyKind.ENABLE_DEPENDENCY:
            plugins[change.target] = plugins[change.target]._replace(enabled=True)
        case _:
            was = plugins.get(change.target)
            plugins[change.target] = There(change.to or "", was is None or was.enabled)
    return replace(state, plugins=plugins)


def with_asked(state: State, version: str) -> State:
    return replace(state, plugins={**state.plugins, ASKED: There(version, True)})


def holds(state: State, world: World, changed: set[str]) -> bool:
    """Whoever fitted before still fits, and whatever was changed fits, if it is enabled."""
    first = start(world)
    for id, plugin in state.plugins.items():
        fitted = id in first.plugins and first.plugins[id].enabled and first.works(id)
        if plugin.enabled and (fitted or id in changed) and not state.works(id):
            return False
    return True


def passes(state: State, world: World, changed: set[str]) -> bool:
    """The request, in the end."""
    return holds(state, world, {*changed, ASKED})


def cheapest(world: World) -> Cost | None:
    """The least that any way out costs, by trying every installation; None where none passes."""
    ways = (way for way in _all(world) if passes(way.state, world, way.changed) and not _is_pretext(way, world))
    return min((way.cost for way in ways), default=None)


class Way(NamedTuple):
    cost: Cost
    state: State
    changed: set[str]


def _is_pretext(way: Way, world: World) -> bool:
    """Whether a plugin is changed only to be in conflict with one that could not be removed otherwise."""
    for id in way.changed if way.cost[0] else ():
        plugins = dict(way.state.plugins)
        plugins.pop(id)
        before = {id: world.installed[id]} if id in world.installed else {}
        undone = replace(way.state, plugins={**plugins, **before})
        if passes(undone, world, way.changed - {id}):
            return True
    return False


def _all(world: World) -> Iterator[Way]:
    before = world.installed.get(ASKED)
    askable = [v for v in VERSIONS if (ASKED, v) in world.catalogue and (before is None or v != before.version)]
    hosts = [host for host in HOSTS if host >= world.host]
    choices = [list(_choices(world, id)) for id in OTHERS]
    for asked, host, picked in product(askable, hosts, product(*choices)):
        plugins = {id: plugin for id, plugin in zip(OTHERS, picked, strict=True) if plugin is not None}
        state = State(world, {**plugins, ASKED: There(asked, True)}, host)
        cost, changed = _compared(world, state, asked)
        gone = [id for id in OTHERS if id in world.installed and id not in plugins]
        if all(_is_in_the_way(world, state, id) for id in gone):
            yield Way(cost, state, changed)


def _choices(world: World, id: str) -> Iterator[There | None]:
    yield None
    there = world.installed.get(id)
    for version in VERSIONS:
        if (id, version) in world.catalogue:
            yield There(version, True)
            if there is not None and not there.enabled:
                yield There(version, False)


def _compared(world: World, state: State, asked: str) -> tuple[Cost, set[str]]:
    removals = downgrades = changes = 0
    changed: set[str] = set()
    for id in OTHERS:
        was, now = world.installed.get(id), state.plugins.get(id)
        removals += was is not None and now is None
        version = was is not None and now is not None and was.version != now.version
        enabled = was is not None and now is not None and was.enabled != now.enabled
        downgrades += was is not None and now is not None and now.version < was.version
        changes += (was is None) != (now is None)
        changes += version + enabled
        if now is not None and (was is None or version or enabled):
            changed.add(id)
    before = world.installed.get(ASKED)
    changes += (asked != world.asked) + (state.host != world.host)
    downgrades += asked != world.asked and before is not None and asked < before.version
    return (removals, downgrades, int(state.host != world.host), changes), changed


def _is_in_the_way(world: World, state: State, id: str) -> bool:
    """Only a plugin that is in conflict with what is there in the end may be removed."""
    kept = replace(state, plugins={**state.plugins, id: There(world.installed[id].version, True)})
    return kept.clashes(id)


EVERYBODY = (ASKED, *OTHERS)


def an_installation(dice: Random) -> World:
    """A world in which nobody asks for anything."""
    world = a_world(dice)
    there = {ASKED: There(world.asked, dice.random() < 0.85)} if dice.random() < 0.6 else {}
    return replace(world, installed={**world.installed, **there}, host=HOSTS[0])


def is_whole(state: State) -> bool:
    return all(state.works(id) for id, plugin in state.plugins.items() if plugin.enabled)


def cheapest_for_everybody(world: World, host: str) -> Cost | None:
    """The least that it costs to have every enabled plugin fit a host, without the host itself and with nothing
    removed; None if nothing does."""
    choices = (
        [choice for choice in _choices(world, id) if choice is not None or id not in world.installed]
        for id in EVERYBODY
    )
    states = (
        State(world, {id: plugin for id, plugin in zip(EVERYBODY, picked, strict=True) if plugin is not None}, host)
        for picked in product(*choices)
    )
    return min((_cost_of(world, state) for state in states if is_whole(state)), default=None)


def _cost_of(world: World, state: State) -> Cost:
    downgrades = changes = 0
    for id in EVERYBODY:
        was, now = world.installed.get(id), state.plugins.get(id)
        if was is None or now is None:
            changes += was is not now
        else:
            downgrades += now.version < was.version
            changes += (was.version != now.version) + (was.enabled != now.enabled)
    return 0, downgrades, 0, changes
