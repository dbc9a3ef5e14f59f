"""Mail handed to a real server, over real TLS."""

from __future__ import annotations

import asyncio
import gc
import ssl
import warnings
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from examples.deliveries import delivery, notice

from processors.embedded.ports import free_port
from processors.relay.delivery import Reception, Reply
from processors.relay.targets.mail import MailSender, MailServer, mail, reply_to_code

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""aiosmtpd leaves connections to the collector when it is stopped."""

FROM, TO = "guard@example.com", "petra@example.com"


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """They are collected here, or a test of another module would be blamed for them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Box:
    """Takes what it is told to take."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answer = "250 taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            return "250 ok"
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"guard", b"right")
    return AuthResult(success=right, handled=False)


@pytest.fixture(params=["starttls", "implicit"])
def box(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[tuple[Box, int, bool]]:
    """A mail server on loopback, its port, and whether TLS begins with the connection."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    implicit = request.param == "implicit"
    box = Box()
    more: dict[str, Any] = (
        {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
    )
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), authenticator=login, auth_require_tls=not implicit, **more
    )
    controller.start()
    assert controller.server is not None
    yield box, controller.server.sockets[0].getsockname()[1], implicit
    controller.stop()


def sent(server: MailServer) -> Reply:
    async def once() -> Reply:
        async with asyncio.timeout(10):
            reply = await MailSender(server).send(delivery(body=mail(notice(), FROM, TO)))
        await asyncio.sleep(0.05)  # a TLS connection takes a turn of the loop to close
        return reply

    return asyncio.run(once())


def at(port: int, implicit: bool, ca: Path | None, **more: Any) -> MailServer:
    networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    return MailServer(
        **({"host": "localhost", "port": port, "networks": networks} | more), implicit_tls=implicit, ca=ca
    )


def test_a_message_is_handed_in_over_tls(box: tuple[Box, int, bool], ca: Path) -> None:
    taken, port, implicit = box
    reply = sent(at(port, implicit, ca))

    assert reply.reception is Reception.ACCEPTED, reply.message
    ((sender, to, content),) = taken.taken
    message = message_from_bytes(content, policy=default)
    assert (sender, to) == (FROM, [TO])
    assert message["Subject"] == "blocked: crm 1.5.0"
    assert message["Message-ID"] == "<e1@example.com>"
    assert "**What happened:** a block." in message.get_content()


def test_a_login_that_is_refused_holds_the_target(box: tuple[Box, int, bool], ca: Path) -> None:
    """As a wrong token does: every message would be refused."""
    _, port, implicit = box

    assert sent(at(port, implicit, ca, username="guard", password="wrong")).reception is Reception.UNAUTHORIZED
    assert sent(at(port, implicit, ca, username="guard", password="right")).reception is Reception.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "reception"),
    [("550 no such mailbox", Reception.REFUSED), ("451 try again later", Reception.FAILED)],
)
def test_a_mailbox_that_is_refused_for_good_is_told_from_one_that_is_busy(
    box: tuple[Box, int, bool], ca: Path, answer: str, reception: Reception
) -> None:
    taken, port, implicit = box
    taken.answer = answer

    reply = sent(at(port, implicit, ca))
    assert reply.reception is reception
    assert reply.message.startswith(answer[:3])


def test_a_server_whose_certificate_nobody_vouches_for_is_sent_nothing(box: tuple[Box, int, bool]) -> None:
    taken, port, implicit = box

    assert sent(at(port, implicit, None)).reception is Reception.FAILED
    assert taken.taken == []


def test_a_server_without_tls_is_sent_nothing() -> None:
    """Somebody in between may have taken the offer of STARTTLS away."""
    taken = Box()
    controller = Controller(taken, hostname="127.0.0.1", port=free_port())
    controller.start()
    assert controller.server is not None
    try:
        port = controller.server.sockets[0].getsockname()[1]
        assert sent(at(port, False, None)).reception is Reception.FAILED
    finally:
        controller.stop()
    assert taken.taken == []


@pytest.mark.parametrize("code", range(400, 600, 7))
def test_a_reply_is_for_now_or_for_good_by_its_first_digit(code: int) -> None:
    reception = reply_to_code(code, "said").reception

    assert reception in ({Reception.FAILED} if code < 500 else {Reception.REFUSED, Reception.UNAUTHORIZED})


@pytest.mark.parametrize(
    "subject",
    [
        "a\r\nBcc: all@example.com",
        "a\nX: y",
        "\x00\x1b[31m",
        "=?utf-8?q?=0D=0ABcc:_a@b.c?=",
        "é" * 5000,
        "",
        "a\u2028b",
    ],
)
def test_a_subject_begins_no_other_header(subject: str) -> None:
    """Subjects hold names that strangers chose."""
    plain = message_from_bytes(mail(notice(), FROM, TO), policy=default)
    message = message_from_bytes(mail(notice(subject=subject), FROM, TO), policy=default)

    assert message.keys() == plain.keys()
    assert str(message["To"]) == TO


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x/\r\nBcc: a", "file:///etc/passwd", "//x", ""])
def test_only_web_links_are_sent(link: str) -> None:
    assert mail(notice(link=link), FROM, TO) == mail(notice(), FROM, TO)


def test_the_same_event_makes_the_same_bytes() -> None:
    """On any day and in any process."""
    assert mail(notice(), FROM, TO) == mail(notice(), FROM, TO)


@pytest.mark.parametrize(
    ("at", "date"),
    [
        (2**62, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (253_402_300_800_000, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (-(2**62), "Thu, 01 Jan 1970 00:00:00 +0000"),
    ],
)
def test_a_notice_beyond_the_calendar_is_sent_all_the_same(at: int, date: str) -> None:
    """Five failures of our own would open the breaker, and hold everybody's mail."""
    assert message_from_bytes(mail(notice(at=at), FROM, TO), policy=default)["Date"] == date
