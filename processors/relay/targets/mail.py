"""E-mail over SMTP with TLS: one message for each notification, to the address of its recipient."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path

import aiosmtplib

from processors.documents.instants import utc
from processors.errors import shorten
from processors.outbound.addresses import AddressRefused, Network, checked, resolve
from processors.outbound.client import CONNECT
from processors.relay.delivery import Delivery, Reception, Reply
from processors.relay.outgoing import Outgoing

LONGEST_SUBJECT = 200
"""Characters."""

_NOT_KNOWN = frozenset({530, 534, 535, 538})
"""Replies that ask for another login (RFC 4954)."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. Without `implicit_tls` the connection begins unencrypted and must switch to TLS (STARTTLS)
    first.

    Nothing is sent to a server that does not offer it.
    """

    host: str
    port: int
    networks: Sequence[Network]
    implicit_tls: bool = False
    ca: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)


def mail(event: Outgoing, sender: str, to: str) -> bytes:
    """The whole message. The same event has the same Message-ID, by which mail programs detect a repetition.

    Texts come from people. A line end in a subject would begin another header, so it is removed; encoded words
    (RFC 2047) are broken up, because the library would decode them, line ends included.
    """
    notice = event.data
    message = EmailMessage(policy=WIRE)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = shorten(notice["subject"], LONGEST_SUBJECT).replace("=?", "= ?")  # see above
    message["Date"] = utc(event.at)
    message["Message-ID"] = f"<{event.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
    text = notice["body"] + (f"\n\n{notice['link']}" if is_link(notice["link"]) else "")
    message.set_content(text.encode("utf-8", "replace").decode(), cte="base64")
    return message.as_bytes()


def is_link(text: str) -> bool:
    """Whether it is a usable link: http or https, without anything that could end a line."""
    return re.fullmatch(r"https?://[^\s<>\"]{1,2000}", text) is not None


class MailSender:
    """One connection for each message: they are few."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=server.ca)

    async def send(self, delivery: Delivery) -> Reply:
        try:
            return await self._send(delivery.body)
        except AddressRefused as error:
            return Reply(Reception.FAILED, str(error))
        except aiosmtplib.SMTPRecipientsRefused as error:
            return reply_to_code(error.recipients[0].code, error.recipients[0].message)
        except aiosmtplib.SMTPResponseException as error:
            return reply_to_code(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Reply(Reception.FAILED, f"{type(error).__name__}: {shorten(str(error))}")

    async def close(self) -> None:
        """There is nothing to close."""

    async def _send(self, body: bytes) -> Reply:
        message = message_from_bytes(body, policy=WIRE)
        sender, to = str(message["From"]), str(message["To"])
        server = self._server
        addresses = checked(server.host, await resolve(server.host, server.port), server.networks)
        with await _connected(addresses[0].compressed, server.port) as connected:
            client = aiosmtplib.SMTP(
                hostname=server.host,
                sock=connected,
                use_tls=server.implicit_tls,
                start_tls=not server.implicit_tls,
                tls_context=self._tls,
                local_hostname=sender.rpartition("@")[2],
                username=server.username or None,
                password=server.password or None,
            )
            async with client:
                _, said = await client.sendmail(sender, [to], body)
        return Reply(Reception.ACCEPTED, shorten(said))


async def _connected(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


def reply_to_code(code: int, message: str) -> Reply:
    """What an SMTP reply means (RFC 5321): 4xx is temporary, 5xx is permanent."""
    said = f"{code} {shorten(message)}"
    if code in _NOT_KNOWN:
        return Reply(Reception.UNAUTHORIZED, said)
    return Reply(Reception.REFUSED if 500 <= code < 600 else Reception.FAILED, said)
