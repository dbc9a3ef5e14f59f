"""GUARD_* variables: a mistyped one is refused, and a secret may come from a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from processors.configuration.environment import ELSEWHERE, refuse_unknown
from processors.configuration.settings import Settings, settings, settings_from
from processors.errors import SettingsInvalid


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests."""
    for name in os.environ:
        if name.upper().startswith("GUARD_"):
            monkeypatch.delenv(name)
    settings.cache_clear()


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("GUARD_KAFKA__BOOTSTAP", "GUARD_KAFKA__BOOTSTRAP"),
        ("GUARD_KAFKA_BOOTSTRAP", "GUARD_KAFKA__BOOTSTRAP"),
        ("GUARD_HEALT_PORT", "GUARD_HEALTH_PORT"),
        ("GUARD_KAFKA__PASSWORD_FIEL", "GUARD_KAFKA__PASSWORD_FILE"),
        ("GUARD_REGISTRY__UTL", "GUARD_REGISTRY__URL"),
    ],
)
def test_a_mistyped_variable_is_refused_with_the_one_that_was_meant(mistyped: str, meant: str) -> None:
    """Ignoring it would start a process with a default that nobody chose."""
    with pytest.raises(SettingsInvalid, match=f"there is no {mistyped}; did you mean `{meant}`"):
        refuse_unknown({mistyped: "x"}, Settings)


def test_a_variable_that_resembles_none_is_refused_with_all_that_there_are() -> None:
    """Its value is never shown, because it may be a password."""
    with pytest.raises(SettingsInvalid, match="known are GUARD_BATCH, ") as refused:
        refuse_unknown({"GUARD_XYZZY": "swordfish"}, Settings)
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/bin"),
        ("GUARDIAN", "x"),
        ("GUARD_KAFKA__BOOTSTRAP", "kafka:9093"),
        ("guard_kafka__bootstrap", "kafka:9093"),
        ("GUARD_KAFKA__PASSWORD_FILE", "/run/secrets/kafka"),
        ("GUARD_TEST_WORKERS", "3"),
        ("GUARD_POSTGRES_SERVICE_HOST", "10.0.0.1"),
        ("GUARD_POSTGRES_SERVICE_PORT_SQL", "5432"),
        ("GUARD_POSTGRES_PORT", "tcp://10.0.0.1:5432"),
        ("GUARD_POSTGRES_PORT_5432_TCP_ADDR", "10.0.0.1"),
        *((name, "x") for name in sorted(ELSEWHERE)),
    ],
)
def test_what_somebody_reads_is_let_through(name: str, value: str) -> None:
    """Also what Kubernetes sets for a Service whose name begins with `guard-`."""
    refuse_unknown({name: value}, Settings)


def test_the_settings_of_a_process_refuse_a_mistyped_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that every command and processor goes."""
    monkeypatch.setenv("GUARD_KAFKA_PASSWORD", "swordfish")
    with pytest.raises(SettingsInvalid, match="did you mean `GUARD_KAFKA__PASSWORD`"):
        settings()


def test_names_count_in_any_case_and_what_is_not_named_keeps_its_default() -> None:
    """A section of which one part is set, and numbers, paths and truth values as texts."""
    of = settings_from({"guard_kafka__allow_plaintext": "true", "GUARD_BATCH": "17", "GUARD_LEDGER__KEYS": "/keys"})
    assert (of.kafka.allow_plaintext, of.kafka.bootstrap) == (True, Settings().kafka.bootstrap)
    assert (of.batch, of.ledger.keys, of.ledger.anchor_every) == (17, Path("/keys"), 60.0)


def test_every_value_that_is_none_of_its_kind_is_named_and_not_shown() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings_from({"GUARD_BATCH": "swordfish", "GUARD_KAFKA__PROTOCOL": "swordfish"})
    assert "GUARD_KAFKA__PROTOCOL: input should be 'consumer' or 'classic'" in str(refused.value)
    assert "; GUARD_BATCH: " in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_a_section_is_no_variable() -> None:
    """Its parts are: one text for all of them would hide a secret among addresses."""
    with pytest.raises(SettingsInvalid, match="there is no GUARD_KAFKA;") as refused:
        settings_from({"GUARD_KAFKA": '{"password": "swordfish"}'})
    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize(
    ("section", "example"),
    [
        ("GUARD_KAFKA", "GUARD_KAFKA__BOOTSTRAP"),
        ("guard_kafka", "GUARD_KAFKA__BOOTSTRAP"),
        ("GUARD_KAFKA__", "GUARD_KAFKA__BOOTSTRAP"),
        ("GUARD_POSTGRES", "GUARD_POSTGRES__URL"),
        ("GUARD_LEDGER", "GUARD_LEDGER__ANCHOR_EVERY"),
    ],
)
def test_a_section_that_is_set_as_one_is_refused_with_the_variables_that_it_is_made_of(
    section: str, example: str
) -> None:
    """None of them was mistyped, so none of them is guessed."""
    with pytest.raises(SettingsInvalid) as refused:
        refuse_unknown({section: "{}"}, Settings)
    said = str(refused.value)
    assert f"each value of it has a variable of its own, as in {example}=...: " in said
    parts = [f"{section.upper().rstrip('_')}__{name.upper()}" for name in _section(section)]
    assert all(part in said for part in parts)
    assert "did you mean" not in said


def _section(variable: str) -> list[str]:
    section = Settings.model_fields[variable.lower().removeprefix("guard_").rstrip("_")].annotation
    return [*getattr(section, "model_fields", ())]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_its_file(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As orchestrators mount it. Editors end a file with a line break, which is not part of the password."""
    file = tmp_path / "password"
    file.write_bytes(f" sword fish{ending}".encode())
    monkeypatch.setenv("GUARD_KAFKA__PASSWORD_FILE", str(file))
    monkeypatch.setenv("GUARD_KAFKA__USERNAME", "checker")

    kafka = settings().kafka

    assert (kafka.username, kafka.password.get_secret_value()) == ("checker", " sword fish")
    assert "sword fish" not in repr(settings())


def test_a_secret_in_two_ways_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could say which one counts."""
    (tmp_path / "url").write_text("postgresql+psycopg://a")
    monkeypatch.setenv("GUARD_POSTGRES__URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("GUARD_POSTGRES__URL", "postgresql+psycopg://b")
    with pytest.raises(SettingsInvalid, match="GUARD_POSTGRES__URL and GUARD_POSTGRES__URL_FILE are both set"):
        settings()


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"\xff\xfe", "is not UTF-8"), (b"x" * 65537, "is larger than 65536 bytes")],
)
def test_a_file_that_holds_no_secret_is_named(
    content: bytes | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By variable and path; never by its content."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("GUARD_REGISTRY__PASSWORD_FILE", str(file))
    with pytest.raises(SettingsInvalid, match=f"GUARD_REGISTRY__PASSWORD_FILE: `{file}` {why}"):
        settings()


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is a path already would have two meanings."""
    monkeypatch.setenv("GUARD_LEDGER__KEYS_FILE", "/keys")
    with pytest.raises(SettingsInvalid, match="there is no GUARD_LEDGER__KEYS_FILE"):
        settings()
