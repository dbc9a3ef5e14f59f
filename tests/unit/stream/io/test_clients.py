"""Nothing crosses a network in the clear unless somebody says so."""

import pytest

from processors.errors import SettingsInvalid
from processors.stream.io.clients import refuse_plaintext


@pytest.mark.parametrize(
    "bootstrap", ["127.0.0.1:9092", "localhost:9092", "[::1]:9092", "127.0.0.1:1, 127.8.9.1:2"]
)
def test_plaintext_on_loopback_is_fine(bootstrap: str) -> None:
    refuse_plaintext(bootstrap)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT", "plaintext", None])
@pytest.mark.parametrize(
    "bootstrap", ["broker:9092", "10.0.0.7:9092", "127.0.0.1:9092,broker:9092", "localhost.evil:1"]
)
def test_plaintext_beyond_loopback_is_refused(bootstrap: str, protocol: str | None) -> None:
    """One far broker among near ones is enough."""
    security = {"security.protocol": protocol} if protocol else {}

    with pytest.raises(SettingsInvalid, match="unencrypted"):
        refuse_plaintext(bootstrap, security)


def test_tls_may_go_anywhere() -> None:
    refuse_plaintext("broker:9093", {"security.protocol": "SASL_SSL"})


def test_no_broker_at_all_is_said_plainly() -> None:
    with pytest.raises(SettingsInvalid, match="no broker address"):
        refuse_plaintext(" , ")
