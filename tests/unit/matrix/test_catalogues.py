"""Catalogues of ecosystems become matrix sources that lint and load."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.errors import DocumentRefused
from processors.matrix.catalogues import FORMATS, catalogue
from processors.matrix.lint import errors, lint
from processors.matrix.text import parse_matrix

JENKINS = {
    "core": {"version": "2.479"},
    "deprecations": {"gitlab-logo": {"url": "https://example.org"}},
    "plugins": {
        "git": {
            "name": "git",
            "version": "5.6.0",
            "requiredCore": "2.462.3",
            "minimumJavaVersion": "11",
            "dependencies": [
                {"name": "mailer", "version": "489.vd4b_25144138f", "optional": False},
                {"name": "matrix-project", "version": "832.va_66e270d2946", "optional": True},
            ],
        },
        "gitlab-logo": {"name": "gitlab-logo", "version": "1.1.2", "requiredCore": "1.651.3", "dependencies": []},
        "broken": {"name": "broken"},
    },
}
HELM = {
    "apiVersion": "v1",
    "entries": {
        "argo-cd": [
            {"name": "argo-cd", "version": "10.1.1", "kubeVersion": ">=1.25.0-0"},
            {"name": "argo-cd", "version": "7.0.0", "deprecated": True},
        ]
    },
}
GRAFANA = {
    "items": [
        {
            "slug": "redis-app",
            "version": "2.2.1",
            "status": "active",
            "json": {
                "dependencies": {
                    "grafanaDependency": ">=8.0.0",
                    "plugins": [{"id": "redis-datasource", "version": "2.1.1"}],
                }
            },
        }
    ]
}
OPEN_VSX = {
    "namespace": "CozziResearch",
    "name": "clPrompter",
    "version": "1.0.0",
    "engines": {"vscode": "^1.96.0"},
    "dependencies": [{"namespace": "vscode", "extension": "git"}, {"namespace": "redhat", "extension": "java"}],
}


def source(format: str, value: Any) -> Any:
    found = catalogue(format, value)
    return parse_matrix(json.dumps({"hosts": found.hosts, "releases": found.releases}), json=True)


@pytest.mark.parametrize(
    ("format", "value", "releases"),
    [
        ("jenkins", JENKINS, ["git 5.6.0 2.462.3", "gitlab-logo 1.1.2 1.651.3"]),
        ("helm", HELM, ["argo-cd 10.1.1 >=1.25.0-0", "argo-cd 7.0.0 "]),
        ("grafana", GRAFANA, ["redis-app 2.2.1 >=8.0.0"]),
        ("open-vsx", OPEN_VSX, ["cozziresearch.clprompter 1.0.0 ^1.96.0"]),
    ],
)
def test_a_catalogue_is_a_source_that_can_be_published(format: str, value: Any, releases: list[str]) -> None:
    """Each release with the hosts that it runs on, and nothing in it that lint refuses."""
    document = source(format, value)

    assert [f"{r.plugin} {r.version} {r.hosts.get('*', '')}" for r in document.releases] == releases
    assert errors(lint(document, 0)) == []


def test_what_jenkins_states_of_a_release_is_kept() -> None:
    """Lowest versions of what it needs, which of that is optional, Java, and the end of its life."""
    git, logo = source("jenkins", JENKINS).releases

    assert [(need.id, need.range, need.optional) for need in git.requires] == [
        ("mailer", ">=489.vd4b_25144138f", False),
        ("matrix-project", ">=832.va_66e270d2946", True),
    ]
    assert [(need.id, need.range) for need in git.runtimes] == [("java", ">=11")]
    assert logo.lifecycle.status == "deprecated"
    assert catalogue("jenkins", JENKINS).left_out == 1


def test_dependencies_of_extensions_and_panels_have_no_version() -> None:
    """What is part of VS Code is no dependency, and Grafana's version was never a constraint."""
    assert [need.id for need in source("open-vsx", OPEN_VSX).releases[0].requires] == ["redhat.java"]
    assert [(n.id, n.range) for n in source("grafana", GRAFANA).releases[0].requires] == [("redis-datasource", "")]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("value", [None, [], "x", {}, {"plugins": 1, "entries": [], "items": {}, "extensions": 7}])
def test_another_file_is_refused(format: str, value: Any) -> None:
    """An empty source would withdraw all that was known."""
    with pytest.raises(DocumentRefused):
        catalogue(format, value)
