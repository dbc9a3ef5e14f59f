"""One body posted to one URL, over a real socket."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import trustme
from examples.deliveries import delivery
from examples.platform import SECRET, Answer, Platform, Received
from standardwebhooks import Webhook

from processors.errors import SettingsInvalid
from processors.outbound.addresses import AddressRefused, checked
from processors.outbound.retry_after import milliseconds
from processors.relay.delivery import Reception, Reply
from processors.relay.targets.answers import reply_to
from processors.relay.targets.http import HttpPoster
from processors.relay.targets.signing import key_of, signed
from processors.relay.targets.webhook import WebhookSender

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
NOW = 1_795_860_000_000  # 2026-11-28T10:00:00Z


def sent(url: str, networks: tuple = LOOPBACK, patience: float = 10, ca: Path | None = None) -> Reply:
    async def once() -> Reply:
        sender = WebhookSender(HttpPoster(url, networks, ca, 1), [key_of(SECRET, "a test")], token="t0ken")
        async with asyncio.timeout(patience):
            reply = await sender.send(delivery())
        await sender.close()
        return reply

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("status", "reception"),
    [
        (200, Reception.ACCEPTED),
        (202, Reception.ACCEPTED),
        (299, Reception.ACCEPTED),
        (301, Reception.REFUSED),
        (308, Reception.REFUSED),
        (400, Reception.REFUSED),
        (404, Reception.REFUSED),
        (422, Reception.REFUSED),
        (401, Reception.UNAUTHORIZED),
        (403, Reception.UNAUTHORIZED),
        (410, Reception.GONE),
        (408, Reception.FAILED),
        (425, Reception.FAILED),
        (429, Reception.FAILED),
        (500, Reception.FAILED),
        (503, Reception.FAILED),
        (599, Reception.FAILED),
        (999, Reception.FAILED),
    ],
)
def test_only_2xx_is_success(status: int, reception: Reception) -> None:
    """What every other status means for the delivery."""
    assert reply_to(status, None, NOW).reception is reception


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("120", 120_000),
        ("0", 0),
        ("999999999999", 999_999_999_999_000),
        ("Sat, 28 Nov 2026 10:01:00 GMT", 60_000),
        ("Sat, 28 Nov 2026 09:00:00 GMT", None),
        ("Sat, 28 Nov 9999999999 09:00:00 GMT", None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("１２", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, wait: int | None) -> None:
    """Anything else says nothing."""
    assert milliseconds(header, NOW) == wait


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["192.168.0.0/16"], False),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:169.254.169.254", ["0.0.0.0/0"], False),
        ("169.254.169.254", ["0.0.0.0/0"], False),
        ("fe80::1", ["::/0"], False),
        ("::", ["::/0"], False),
        ("224.0.0.1", ["0.0.0.0/0"], False),
        ("2001:db8::1", ["2001:db8::/32"], True),
    ],
)
def test_an_address_is_used_only_inside_the_networks_and_never_if_link_local(
    address: str, networks: list[str], allowed: bool
) -> None:
    ranges = [ip_network(network) for network in networks]
    if allowed:
        assert checked("name", [ip_address(address)], ranges)
    else:
        with pytest.raises(AddressRefused):
            checked("name", [ip_address(address)], ranges)


def test_one_bad_address_among_good_ones_is_reason_to_use_none() -> None:
    """That is what a rebinding name looks like."""
    with pytest.raises(AddressRefused):
        checked("name", [ip_address("10.1.2.3"), ip_address("127.0.0.1")], [ip_network("10.0.0.0/8")])


def test_a_name_keeps_its_host_header_although_its_address_is_connected_to() -> None:
    with Platform() as platform:
        reply = sent(platform.url().replace("127.0.0.1", "localhost"))

    (received,) = platform.received
    assert reply.reception is Reception.ACCEPTED
    assert received.headers["host"] == f"localhost:{platform.port}"
    assert received.headers["authorization"] == "Bearer t0ken"


def test_a_proxy_from_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Platform() as platform, Platform() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        sent(platform.url())

    assert len(platform.received) == 1
    assert proxy.received == []


def test_a_redirect_is_a_refusal_and_leads_nowhere() -> None:
    with Platform() as elsewhere, Platform(lambda _: Answer(307, {"location": elsewhere.url()})) as platform:
        assert sent(platform.url()).reception is Reception.REFUSED

    assert elsewhere.received == []


def test_a_connection_that_is_dropped_before_the_answer_is_a_failure() -> None:
    """Nobody knows whether the message was taken."""
    with Platform(lambda _: Answer(dropped=True)) as platform:
        assert sent(platform.url()).reception is Reception.FAILED

    assert len(platform.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://there-is-no-such-name.invalid/"])
def test_a_target_that_cannot_be_reached_is_a_failure(url: str) -> None:
    """And its words hold no URL, which may be a secret."""
    reply = sent(url)

    assert reply.reception is Reception.FAILED
    assert "http" not in reply.message


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with Platform(lambda _: Answer(200, body=b"x" * 5_000_000)) as platform:
        assert sent(platform.url()).reception is Reception.ACCEPTED


def test_a_signature_is_made_with_every_secret() -> None:
    """In the order of the configuration, as the specification joins them."""
    one, two = b"1" * 24, b"2" * 24
    both = signed([one, two], "id", 1_700_000_000, b"{}")["webhook-signature"].split(" ")

    assert both == [
        signed([one], "id", 1_700_000_000, b"{}")["webhook-signature"],
        signed([two], "id", 1_700_000_000, b"{}")["webhook-signature"],
    ]


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_receiver_whose_clock_is_two_minutes_off_verifies_what_is_sent(minutes: int) -> None:
    """Receivers that follow the specification forgive five minutes, whichever of the two clocks is wrong."""
    stamp = int(time.time()) + minutes * 60
    headers = signed([key_of(SECRET, "a test")], "id", stamp, b'{"a": 1}')

    assert Webhook(SECRET).verify(b'{"a": 1}', dict(headers)) == {"a": 1}


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "not base64!", ""])
def test_a_secret_that_is_none_is_named_but_not_shown(secret: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        key_of(secret, "RELAY_PLATFORM")

    assert "RELAY_PLATFORM" in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


def test_the_receiver_sees_the_same_bytes_that_were_signed() -> None:
    seen: list[Received] = []
    with Platform(lambda received: seen.append(received) or Answer()) as platform:
        sent(platform.url())

    assert [(one.verified, one.body) for one in seen] == [(True, b"{}")]


@pytest.mark.parametrize(("certified", "reception"), [("localhost", "accepted"), ("elsewhere.example", "failed")])
def test_a_certificate_must_be_of_the_name_although_its_address_is_connected_to(
    certified: str, reception: str, tmp_path: Path
) -> None:
    authority, ca = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with Platform(certificate=authority.issue_cert(certified)) as platform:
        reply = sent(platform.url().replace("http://127.0.0.1", "https://localhost"), ca=ca)

    assert reply.reception == reception
    assert len(platform.received) == (reception == "accepted")


def test_a_path_is_sent_exactly_as_it_is_configured() -> None:
    """Chat rooms sign their URLs: one that is encoded in another way is another URL."""
    path = "/a%2Fb/%7Euser/?sig=%2b+x%20y%3D&empty="
    with Platform() as platform:
        sent(platform.url(path))

    assert platform.received[0].path == path


def test_a_connection_is_used_again_and_keeps_no_cookie() -> None:
    with Platform(lambda _: Answer(204, {"set-cookie": "session=1; path=/"})) as platform:

        async def twice() -> list[Reply]:
            sender = WebhookSender(HttpPoster(platform.url(), LOOPBACK, None, 1), [key_of(SECRET, "a test")])
            replies = [await sender.send(delivery()), await sender.send(delivery())]
            await sender.close()
            return replies

        assert [reply.reception for reply in asyncio.run(twice())] == [Reception.ACCEPTED] * 2

    first, second = platform.received
    assert first.port == second.port
    assert "cookie" not in second.headers


@contextmanager
def saying(first: bytes, without_end: bytes = b"") -> Iterator[str]:
    """The URL of a server that answers with these bytes, the second of them again and again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(first)
                while without_end:
                    connection.sendall(without_end)

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("first", "without_end"),
    [
        (b"\x00\xff" * 1000, b""),
        (OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef", b""),
        (OK + b"content-length: 99999999999999999999999\r\n\r\nx", b""),
        (OK + b"x: ", b"y" * 65_536),
        (OK, b"x: y\r\n" * 1000),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", b""),
    ],
    ids=["junk", "two lengths", "a length beyond any", "an endless header", "endless headers", "another protocol"],
)
def test_an_answer_that_no_server_gives_is_a_failure_at_once(first: bytes, without_end: bytes) -> None:
    """Not after ten seconds, and not after it has filled the memory."""
    began = time.monotonic()
    with saying(first, without_end) as url:
        assert sent(url).reception is Reception.FAILED

    assert time.monotonic() - began < 5
