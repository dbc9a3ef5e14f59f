"""What the ledger's commands read and write beside the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.ledger.commands import app
from processors.errors import GuardError
from processors.ledger.keys import new_keys, write_keys


@pytest.fixture
def keys(tmp_path: Path) -> str:
    write_keys(tmp_path / "keys.json", new_keys())
    return str(tmp_path / "keys.json")


def refusal(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert isinstance(done.exception, GuardError), done.output
    assert done.exception.exit_code == 2
    return str(done.exception)


def test_a_proof_that_is_not_there_is_no_bad_proof(tmp_path: Path, keys: str) -> None:
    """A slip in the path must not look like evidence of anything."""
    absent = str(tmp_path / "absent")

    said = refusal("verify-proof", absent, "--keys", keys)

    assert said == f"{absent}: cannot be opened: no such file or directory"


@pytest.mark.parametrize("content", [b"{}", b"[]", b"7", b"null", b"nonsense", b"\xff", b"[" * 100_000])
def test_what_is_no_proof_is_named_in_plain_words(tmp_path: Path, keys: str, content: bytes) -> None:
    """Whoever checks a proof need not know Python."""
    file = tmp_path / "proof.json"
    file.write_bytes(content)

    said = refusal("verify-proof", str(file), "--keys", keys)

    assert said.startswith(f"{file}: this is not an inclusion proof")
    assert "Error" not in said


@pytest.mark.parametrize("content", [b"{}", b"[]", b"nonsense", b"\xff"])
def test_what_holds_no_keys_is_named_in_plain_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(content)

    said = refusal("verify-proof", "any", "--keys", str(file))

    assert said.startswith(f"`{file}` holds no public keys")
    assert "Error" not in said


def test_an_export_does_not_write_over_a_file_unasked(tmp_path: Path) -> None:
    """What stands there may be evidence."""
    file = tmp_path / "events.jsonl"
    file.write_text("evidence")

    assert refusal("export", str(file)) == f"`{file}` is there already; --force writes over it"
    assert file.read_text() == "evidence"


def test_lost_keys_are_replaced_by_some_that_know_the_published_ones(tmp_path: Path, keys: str) -> None:
    """Rotation adds to a file that is there. After a loss the public half is left, and becomes part of another."""
    published, new = tmp_path / "published.jwks", str(tmp_path / "new.json")
    published.write_text(CliRunner().invoke(app, ["keys", keys, "--public"]).stdout)
    Path(keys).unlink()

    assert "is not there" in refusal("keys", keys, "--rotate")
    assert "--rotate" in refusal("keys", new, "--rotate", "--published", str(published))
    assert CliRunner().invoke(app, ["keys", new, "--published", str(published)]).exit_code == 0
    both = json.loads(CliRunner().invoke(app, ["keys", new, "--public"]).stdout)["keys"]
    assert both[:1] == json.loads(published.read_text())["keys"]
    assert len({key["kid"] for key in both}) == 2
    assert not any("d" in key for key in both)
