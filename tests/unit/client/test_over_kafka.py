"""Through the topics, without the keys of the processors: nobody signs what rests on an unverified state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples.exceptions import ID

from processors.bootstrap.seal_keys import new_seals, render_seals
from processors.bootstrap.sealing import has_seal_keys
from processors.client.over_kafka import KafkaTransport
from processors.client.transport import Author, Change
from processors.configuration.settings import KafkaSettings, SealSettings, Settings
from processors.errors import SettingsInvalid

FAR = KafkaSettings(bootstrap="broker.invalid:9092")


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(lambda transport: transport.decide(ID, "proof", 1.0), id="decide"),
        pytest.param(lambda transport: transport.extend(ID, None, "", 1.0), id="extend"),
        pytest.param(lambda transport: transport.amend(ID, Change(risk="none"), 1.0), id="amend"),
    ],
)
def test_who_cannot_verify_a_state_is_sent_to_a_gateway(sign: Callable[[KafkaTransport], Any]) -> None:
    transport: Any = KafkaTransport(Settings(kafka=FAR), None, Author(None, None, None))  # type: ignore[arg-type]
    with pytest.raises(SettingsInvalid, match="--gateway URL"):
        sign(transport)


def test_keys_are_those_that_are_named_or_this_machines(tmp_path: Path) -> None:
    (tmp_path / "seals.json").write_text(render_seals(new_seals()))
    assert has_seal_keys(Settings())
    assert not has_seal_keys(Settings(kafka=FAR))
    assert has_seal_keys(Settings(kafka=FAR, seal=SealSettings(key_file=tmp_path / "seals.json")))
