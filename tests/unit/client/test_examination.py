"""What is wrong with an installation is said part by part, and with a way out."""

from __future__ import annotations

from pathlib import Path

from processors.client.examination import State, examine
from processors.configuration.settings import (
    KafkaSettings,
    LedgerSettings,
    PostgresSettings,
    RegistrySettings,
    Settings,
)


def test_where_nothing_answers_every_part_is_named(tmp_path: Path) -> None:
    """Nothing is left out because something before it failed."""
    nowhere = Settings(
        kafka=KafkaSettings(bootstrap="127.0.0.1:1"),
        registry=RegistrySettings(url="http://127.0.0.1:1"),
        postgres=PostgresSettings(url="postgresql+psycopg://guard@127.0.0.1:1/guard"),  # type: ignore[arg-type]
        ledger=LedgerSettings(keys=tmp_path / "keys.json"),
    )

    found = {examined.part: examined for examined in examine(nowhere)}

    unreachable = {part for part, examined in found.items() if examined.state is State.UNREACHABLE}
    on_the_broker = {"topics", "schemas", "durability", "access rules", "matrix", "processors"}
    assert unreachable == {"broker", "registry", "ledger"} | on_the_broker
    assert found["configuration"].state is State.OK
    assert (found["keys"].state, found["keys"].to_do) == (State.WRONG, "compat-guard ledger keys")
    assert found["clock"].state is State.WARNING
    assert "GUARD_KAFKA__BOOTSTRAP" in found["broker"].to_do
