"""Chooses the transport: HTTP if a gateway is named, else Kafka."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager

from processors.client.transport import Author, Transport
from processors.configuration.settings import Settings
from processors.errors import SettingsInvalid


@contextmanager
def connected(of: Settings, gateway: str | None = None, author: Author = Author()) -> Generator[Transport]:  # noqa: B008 - a value that nobody can change
    """A connection to the guard for the duration of the block. `gateway` takes precedence over GUARD_GATEWAY__URL.

    Each transport loads only its own libraries. Raises SettingsInvalid for an `author` with a gateway, which would
    be ignored: there the token identifies the requester.
    """
    url = gateway or of.gateway.url
    if not url:
        from processors.bootstrap.clients import codec  # noqa: PLC0415 - needs Kafka's library
        from processors.client.over_kafka import KafkaTransport  # noqa: PLC0415 - as above

        with codec(of) as events:
            yield KafkaTransport(of, events, author)
        return
    if author != Author():
        raise SettingsInvalid(
            "a gateway identifies the requester by the token; leave --operator, --requester, --issuer and --key out"
        )
    from processors.client.gateway_calls import GatewayCalls  # noqa: PLC0415 - what is not needed is not loaded
    from processors.client.over_http import HttpTransport  # noqa: PLC0415 - as above

    with closing(GatewayCalls(of.gateway, url)) as calls:
        yield HttpTransport(calls)
