"""Small worlds in which everybody may say something of anybody: catalogues, fleets and questions about them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from examples.matrices import HOUR, NOON, a_document, a_release, a_rule

from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Requirement, Subject
from processors.matrix.document import PluginScheme
from processors.matrix.merged import Matrix

DAY = 24 * HOUR

WORDS = ("p", "a", "b", "c", "d", "api")


def need(id: str, range: str = ">=1.0.0", *, optional: bool = False) -> Requirement:
    return Requirement(id, range, optional)


def asked(installed: tuple[InstalledPlugin, ...], **more: Any) -> Subject:
    manifest = Manifest(**{"id": "p", "version": "1.0.0", "host_range": ">=1.0.0", "runtimes": (), **more})
    return Subject(manifest=manifest, host=Host("corex", "2.0.0"), installed=installed)


def a_matrix(*releases: dict[str, Any], plugins: tuple[PluginScheme, ...] = ()) -> Matrix:
    document = a_document(a_rule("*", action="allow"), releases=releases)
    return Matrix.of([(replace(document, plugins=plugins), NOON - HOUR, NOON + DAY)])


def a_world(dice: random.Random) -> tuple[Matrix, list[Subject]]:
    """A catalogue in which everybody may say something of anybody, and questions of one fleet about it."""

    def some(most: int, chance: float, kind: Callable[[str], Any]) -> tuple[Any, ...]:
        return tuple(kind(dice.choice(WORDS)) for _ in range(most) if dice.random() < chance)

    def wanted(id: str) -> Requirement:
        return need(id, dice.choice(["*", "*", ">=1.0.0", "<2.0.0"]), optional=dice.random() < 0.3)

    def offered(id: str) -> Provision:
        return Provision(id, dice.choice(["1.0.0", "1.5.0"]))

    versions = ["1.0.0", "1.0.0", "2.0.0", "1.0.0.0"]
    rows = [
        a_release(
            dice.choice(WORDS[:5]),
            dice.choice(versions),
            requires=some(2, 0.35, wanted),
            conflicts=some(1, 0.15, wanted),
            provides=some(1, 0.15, offered),
            consumes=some(1, 0.1, wanted),
        )
        for _ in range(dice.randrange(8))
    ]
    schemes = tuple(PluginScheme(id, "npm") for id in WORDS[:5] if dice.random() < 0.2)
    pool = [
        InstalledPlugin(
            id,
            dice.choice([*versions, "0.9.0.1"]),
            dice.random() < 0.9,
            some(1, 0.25, wanted),
            some(1, 0.1, wanted),
        )
        for id in WORDS[:5] * 2
    ]
    makers = [
        {
            "version": dice.choice(versions),
            "requires": some(1, 0.4, wanted),
            "provides": some(1, 0.3, offered),
            "replaces": some(1, 0.15, str),
            "host": dice.choice(["", "", "npm"]),
        }
        for _ in range(2)
    ]
    fleet = [asked(tuple(dice.sample(pool, dice.randrange(5))), **dice.choice(makers)) for _ in range(14)]
    return a_matrix(*rows, plugins=schemes), fleet
