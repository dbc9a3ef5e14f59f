"""What is left out of a question makes no difference to its answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from examples import questions as ask
from examples.matrices import a_document, a_release, a_rule
from examples.worlds import a_world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.checker.case import read_case
from processors.checker.check import check
from processors.checker.plans.effort import Effort
from processors.checker.plans.situation import asking, manifest_of
from processors.checker.plans.surroundings import Judgements
from processors.checker.validator import validate
from processors.events.subject import InstalledPlugin, Manifest, Requirement, Subject
from processors.matrix.document import HostDeclaration, MatrixDocument, Release
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES

ids = st.sampled_from([f"p{n}" for n in range(8)])
needs = ask.few(st.builds(Requirement, ids, ask.ranges, st.booleans()))
plugins = st.lists(
    st.builds(
        InstalledPlugin,
        ids,
        ask.versions,
        st.booleans(),
        needs,
        needs,
        ask.few(ask.provisions, 1) | ask.few(st.builds(ask.Provision, ids, ask.versions), 1),
        ask.few(ask.uses, 1),
    ),
    max_size=8,
    unique_by=lambda plugin: plugin.id,
).map(tuple)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plugins, ids, ask.versions, ask.matrices)
def test_a_plugin_beside_its_surroundings_has_the_findings_that_it_has_beside_all(
    there: tuple[InstalledPlugin, ...], id: str, version: str, matrix: Matrix
) -> None:
    """An installed plugin asked about afresh, and another version that takes the place of one."""
    before = next((plugin for plugin in there if plugin.id == id), None)
    subject = Subject(manifest=Manifest(id="nobody", version="1.0.0"), host=ask.Host("h", "2.0.0"), installed=there)
    case = read_case(subject, matrix, NO_POLICIES, ask.NOON)
    judgements, effort = Judgements(case), Effort(case, 1_000_000)
    questions = [asking(subject, there, manifest_of(plugin), None) for plugin in there]
    questions.append(asking(subject, there, Manifest(id=id, version=version), before))

    for question in questions:
        findings = validate(read_case(question, matrix, NO_POLICIES, ask.NOON))
        small = judgements.around(question, there)
        assert validate(read_case(small, matrix, NO_POLICIES, ask.NOON)) == findings
        blocking = tuple(finding for finding in findings if finding.blocks)
        assert judgements.blocking(question, there, effort) == blocking
        assert judgements.blocking(replace(question), there, effort) == blocking


def test_in_small_worlds_too_nothing_is_left_out_that_makes_a_difference() -> None:
    """Circles through what is not there, stand-ins, replaced plugins and versions that are read in several ways."""
    for number in range(120):
        matrix, fleet = a_world(random.Random(number))
        for subject in fleet:
            there = subject.installed
            if len({plugin.id for plugin in there}) < len(there):
                continue
            judgements = Judgements(read_case(subject, matrix, NO_POLICIES, ask.NOON))
            for question in (subject, *(asking(subject, there, manifest_of(plugin), None) for plugin in there)):
                small = judgements.around(question, there)
                answers = (validate(read_case(each, matrix, NO_POLICIES, ask.NOON)) for each in (question, small))
                assert next(answers) == next(answers), (number, question)


def test_what_has_nothing_to_do_with_a_plugin_is_left_out() -> None:
    there = (
        InstalledPlugin("a", "1.0.0", requires=(Requirement("b"),)),
        InstalledPlugin("b", "1.0.0"),
        InstalledPlugin("c", "1.0.0", requires=(Requirement("d"),)),
        InstalledPlugin("d", "1.0.0"),
    )
    subject = Subject(manifest=Manifest(id="", version=""), host=ask.Host("h", "2.0.0"), installed=there)
    judgements = Judgements(read_case(subject, Matrix.EMPTY, NO_POLICIES, ask.NOON))

    small = judgements.around(asking(subject, there, manifest_of(there[0]), None), there)

    assert [plugin.id for plugin in small.installed] == ["b"]


def test_what_is_installed_is_read_in_the_dialect_of_the_host_whoever_asks() -> None:
    """A plugin for grafana asks. The row for x 1.0 is about x 1.0.0 as this host reads versions, not as grafana."""
    portal = HostDeclaration("portal", "generic", ("2.0.0", "3.0.0"))
    rules = (
        a_rule("*", action="allow", host="portal"),
        a_rule("x", action="block", host="portal", host_range=">=3.0.0"),
    )
    document = a_document(
        *rules, releases=(a_release("x", "1.0", requires=(Requirement("chat"),)),), hosts={"portal": portal}
    )
    subject = Subject(
        manifest=Manifest(id="crm", version="1.0.0", host_range=">=3.0.0", runtimes=(), host="grafana"),
        host=ask.Host("portal", "2.0.0"),
        installed=(InstalledPlugin("x", "1.0.0"), InstalledPlugin("chat", "1.0.0")),
    )

    assert found(document, subject) == []  # portal 3.0.0 would do, but x goes on on 2.0.0 alone


@pytest.mark.parametrize("count", [10, 60, 190])
def test_much_that_is_not_there_and_need_not_be_hides_no_way_out(count: int) -> None:
    """Each plugin could use another one of a large cluster that nobody has installed."""
    cluster = [a_release(f"g{n}", "1.0.0", requires=(Requirement(f"g{(n + 1) % 250}"),)) for n in range(250)]
    corex = HostDeclaration("corex", "npm", ("2.0.0", "3.0.0"))
    releases = (a_release("crm", "1.0.0"), *cluster)
    document = a_document(a_rule("*", action="allow"), releases=releases, hosts={"corex": corex})
    subject = Subject(
        manifest=Manifest(id="crm", version="1.0.0", host_range=">=3.0.0", runtimes=()),
        host=ask.Host("corex", "2.0.0"),
        installed=tuple(
            InstalledPlugin(f"x{n}", "1.0.0", requires=(Requirement(f"g{n}", optional=True),)) for n in range(count)
        ),
    )

    assert found(document, subject) == ["upgrade corex to 3.0.0"]


def test_a_cluster_that_is_not_there_is_walked_once() -> None:
    """Whoever writes the catalogue decides how large it is, and the checker answers nobody else meanwhile."""
    cluster = [a_release(f"g{n}", "1.0.0", requires=(Requirement(f"g{(n + 1) % 190}"),)) for n in range(190)]
    matrix = CountingMatrix.of([(a_document(releases=tuple(cluster)), ask.NOON - ask.HOUR, ask.NOON + ask.HOUR)])
    there = tuple(InstalledPlugin(f"x{n}", "1.0.0", requires=(Requirement(f"g{n}"),)) for n in range(190))
    subject = Subject(manifest=Manifest(id="", version=""), host=ask.Host("corex", "2.0.0"), installed=there)
    judgements = Judgements(read_case(subject, matrix, NO_POLICIES, ask.NOON))
    CountingMatrix.looked_up.clear()

    for plugin in there:
        judgements.around(asking(subject, there, manifest_of(plugin), None), there)

    assert sorted(CountingMatrix.looked_up) == sorted(f"g{n}" for n in range(190))


class CountingMatrix(Matrix):
    """One that tells whose releases were looked up."""

    looked_up: ClassVar[list[str]] = []

    def releases(self, plugin: str) -> Sequence[Release]:
        self.looked_up.append(plugin)
        return super().releases(plugin)


def found(document: MatrixDocument, subject: Subject) -> list[str]:
    """The sentences of the ways out."""
    matrix = Matrix.of([(document, ask.NOON - ask.HOUR, ask.NOON + ask.HOUR)])
    return [plan.sentence for plan in check(subject, matrix, ask.NOON, "sha256:0").report.remediations]
