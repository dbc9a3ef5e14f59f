"""A policy that binds nobody is said to, loudly: its author believes that it does."""

from examples.questions import HOUR, NOON

from processors.client.policy_reach import idle_for, unknown_to
from processors.events.subject import Manifest, Provision
from processors.matrix.merged import Matrix
from processors.matrix.text import parse_matrix
from processors.policies import SecurityPolicy

MATRIX = Matrix.of(
    [
        (
            parse_matrix(
                'hosts: {corex: {dialect: npm}}\nmatrix: [{host: corex, plugin: "com.acme.*", action: allow}]\n'
                'releases: [{plugin: com.listed, version: "1.0.0"}]\n'
            ),
            NOON,
            NOON + HOUR,
        )
    ]
)


def policies(*components: str) -> list[SecurityPolicy]:
    return [SecurityPolicy(component_id=name, policy_id="SEC", published_at=NOON) for name in components]


def test_a_component_that_no_row_and_no_release_names_is_unknown() -> None:
    """Such as the name of a package, where the matrix has the id of a plugin."""
    assert unknown_to(MATRIX, policies("com.acme.crm", "com.listed", "crm", "com.listed.x")) == [
        "crm",
        "com.listed.x",
    ]


def test_a_policy_about_what_is_inside_a_plugin_is_not_idle() -> None:
    manifest = Manifest(id="com.listed", version="1.0.0", components=(Provision("log4j", "2.0"),))

    assert idle_for(manifest, policies("com.listed", "log4j", "other")) == ["other"]
