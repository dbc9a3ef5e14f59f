"""A slip is a usage error: nothing is said of the plugin, and what was meant is named where it can be known."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.root import app
from processors.client.mistyped import refuse_mistyped_before
from processors.errors import SettingsInvalid
from processors.events.subject import Host
from processors.versions import Dialect

MATRIX = str(Path(__file__).parents[3] / "config" / "compat_matrix.yaml")


def check(folder: Path, *options: str) -> BaseException | None:
    manifest = folder / "plugin.yaml"
    manifest.write_text(
        'id: com.a\nversion: "1.0.0"\ncorex_version: "*"\nruntime: {go: ">=1.21"}\n'
        'database: [{engine: mysql, version: ">=8"}]\n'
    )
    host = () if "--host" in options else ("--host", "corex@1.9.0")
    return CliRunner().invoke(app, ["check", "-m", str(manifest), "--matrix", MATRIX, *host, *options]).exception


@pytest.mark.parametrize(
    ("option", "value", "way_out"),
    [
        ("--host", "corex@1.9", "did you mean corex@1.9.0?"),
        ("--host", "corex@2", "did you mean corex@2.0.0?"),
        ("--host", "corex@1.9.0.", "did you mean corex@1.9.0?"),
        ("--host", "corex@nightly", "name the version that `corex` reports"),
        ("--runtime", "go@banana", "name the version that `go` reports"),
        ("--database", "mysql@latest", "name the version that `mysql` reports"),
    ],
)
def test_a_slip_ends_with_2_and_a_suggestion(tmp_path: Path, option: str, value: str, way_out: str) -> None:
    """Before, the plugin was blamed for it."""
    error = check(tmp_path, option, value)

    assert isinstance(error, SettingsInvalid)
    assert error.exit_code == 2
    assert str(error) == f"{option} `{value}` states no version; {way_out}"


def test_a_slip_in_the_host_is_told_before_anybody_is_asked() -> None:
    """A block of it would stand in the ledger for good."""
    looked: list[str] = []

    def dialect_of(name: str) -> Dialect | None:
        looked.append(name)
        return {"corex": Dialect.NPM, "jenkins": Dialect.MAVEN}.get(name)

    with pytest.raises(SettingsInvalid, match=r"did you mean corex@1\.9\.0\?"):
        refuse_mistyped_before(Host("corex", "1.9"), dialect_of)
    refuse_mistyped_before(Host("jenkins", "2.426"), dialect_of)
    refuse_mistyped_before(Host("unknown", "nightly"), dialect_of)
    assert looked == ["corex", "jenkins", "unknown"]

    refuse_mistyped_before(Host("corex", "1.9.0"), dialect_of)
    assert len(looked) == 3


def test_what_a_program_may_really_report_is_judged(tmp_path: Path) -> None:
    """MariaDB answers so to clients of MySQL; people may except the block."""
    error = check(tmp_path, "--database", "mysql@5.5.5-10.4.18-MariaDB")

    assert isinstance(error, SystemExit)
    assert error.code == 1
