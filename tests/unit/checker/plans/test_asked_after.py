"""The question as a way out would leave it: what whoever was blocked may ask next, with one click."""

from __future__ import annotations

from processors.checker.plans.situation import after, can_be_asked_after
from processors.events.report import Change, Remediation
from processors.events.subject import Host, InstalledPlugin, Manifest, Provision, Subject
from processors.events.vocabulary import RemedyKind

BLOCKED = Subject(
    manifest=Manifest(id="billing", version="3.1.0", host_range=">=2.0.0"),
    host=Host("corex", "1.9.0"),
    installed=(InstalledPlugin("crm", "0.5.0"), InstalledPlugin("lite", "1.2.0"), InstalledPlugin("sso", "1.0.0")),
    runtimes=(Provision("go", "1.20"),),
)


def plan(*changes: Change) -> Remediation:
    return Remediation(change=changes[0], also=changes[1:], verified=True, cost=1, sentence="")


def test_every_change_of_a_plan_is_made() -> None:
    asked = after(
        BLOCKED,
        plan(
            Change(RemedyKind.UPGRADE_HOST, "corex", "2.0.0"),
            Change(RemedyKind.UPGRADE_DEPENDENCY, "crm", "0.6.0"),
            Change(RemedyKind.REMOVE_CONFLICT, "lite", None),
            Change(RemedyKind.UPGRADE_RUNTIME, "go", "1.22"),
        ),
    )

    assert (asked.host.version, asked.runtimes) == ("2.0.0", (Provision("go", "1.22"),))
    assert {(one.id, one.version) for one in asked.installed} == {("sso", "1.0.0"), ("crm", "0.6.0")}
    assert asked.manifest == BLOCKED.manifest


def test_another_release_brings_none_of_the_manifest_that_was_blocked() -> None:
    asked = after(BLOCKED, plan(Change(RemedyKind.INSTALL_VERSION, "billing", "3.0.2")))

    assert asked.manifest == Manifest(id="billing", version="3.0.2")


def test_ids_without_case_are_those_that_the_plan_names() -> None:
    blocked = Subject(
        manifest=Manifest(id="Acme.Tool", version="2.0.0", host="vscode"),
        host=Host("portal", "2.0.0"),
        installed=(InstalledPlugin("Acme.Chat", "1.0.0"), InstalledPlugin("Acme.Lint", "1.0.0")),
    )

    without = after(blocked, plan(Change(RemedyKind.REMOVE_CONFLICT, "acme.chat", None)))
    upgraded = after(blocked, plan(Change(RemedyKind.UPGRADE_DEPENDENCY, "acme.chat", "2.0.0")))

    assert [one.id for one in without.installed] == ["acme.lint"]
    assert sorted((one.id, one.version) for one in upgraded.installed) == [
        ("acme.chat", "2.0.0"),
        ("acme.lint", "1.0.0"),
    ]


def test_what_replaces_the_plugin_is_not_guessed() -> None:
    assert not can_be_asked_after(plan(Change(RemedyKind.REPLACE_PLUGIN, "billing-ng", "1.0.0")))
    assert can_be_asked_after(plan(Change(RemedyKind.UPGRADE_HOST, "corex", "2.0.0")))
