"""How much was read decides where it is worked on, whatever the head of the request says. Forms are UTF-8."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from processors.gateway.admission import Admission
from processors.gateway.edges import Edges
from processors.gateway.intake import read_form, size_read
from processors.gateway.problems import Problem


def size_of(chunks: list[bytes], headers: Mapping[str, str]) -> int:
    """What the application takes for the size of a body that comes in these pieces."""
    sizes: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        sizes.append(size_read(request))

    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        raise AssertionError

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Edges(application, Admission(), tokenless=False)(scope, receive, send))
    return sizes[0]


@pytest.mark.parametrize("headers", [{}, {"content-length": "1"}, {"transfer-encoding": "chunked"}])
def test_the_size_of_a_body_is_what_was_read_of_it(headers: Mapping[str, str]) -> None:
    assert size_of([b"a" * 60_000, b"b" * 40_000], headers) == 100_000
    assert size_of([b""], headers) == 0


MULTIPART = "multipart/form-data; boundary=x"
ENCODED = "application/x-www-form-urlencoded"


def posted(body: bytes, content_type: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "app": None, "method": "POST", "headers": headers}, receive)


def part(value: bytes, of: bytes = b'name="host"') -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + of + b"\r\n\r\n" + value + b"\r\n--x--\r\n"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_form_is_utf_8_and_may_say_so(charset: str, size: int) -> None:
    text = "\u20ac" * size
    read = asyncio.run(read_form(posted(part(text.encode()), f"{MULTIPART}; charset={charset}")))
    assert read == {"host": [text]}
    encoded = asyncio.run(read_form(posted(b"host=" + b"%e2%82%ac" * size, f"{ENCODED}; charset={charset}")))
    assert encoded == {"host": [text]}


@pytest.mark.parametrize(
    "charset",
    ["punycode", "undefined", "unicode_escape", "utf-7", "utf-16", "latin-1", "idna", "hex", "", "x" * 9999],
)
@pytest.mark.parametrize("kind", [MULTIPART, ENCODED])
def test_no_caller_chooses_the_codec_of_a_form(kind: str, charset: str) -> None:
    """Some need minutes for a megabyte, and some make half characters."""
    body = part("\U00010000".encode("punycode") + b"a" * 20_000)
    for stated in (f"{kind}; charset={charset}", f"{kind}; charset=utf-8; charset={charset}"):
        with pytest.raises(Problem) as refused:
            asyncio.run(read_form(posted(body, stated)))
        assert refused.value.kind.status == 415
        assert len(refused.value.detail) < 400


@pytest.mark.parametrize(
    "charset",
    ["; charset*=utf-8''punycode", "; charset*0=punycode", ""],
    ids=["extended", "continued", "of a part"],
)
def test_a_charset_that_is_stated_elsewhere_decodes_nothing(charset: str) -> None:
    of = b'name="host"\r\nContent-Type: text/plain; charset=punycode'
    assert asyncio.run(read_form(posted(part(b"a-b", of), MULTIPART + charset))) == {"host": ["a-b"]}


@pytest.mark.parametrize("body", [b"&" * 2_000_000, b"a=" + b"%41" * 600_000], ids=["separators", "escapes"])
def test_others_are_answered_while_a_large_form_is_read(body: bytes) -> None:
    async def beats() -> int:
        """How often others had their turn."""
        reading = asyncio.create_task(read_form(posted(body, ENCODED)))
        count = 0
        while not reading.done():
            await asyncio.sleep(0.001)
            count += 1
        await reading
        return count

    assert asyncio.run(beats()) > 5


def test_a_form_can_be_read_again_however_large_it_is() -> None:
    async def twice(size: int) -> bool:
        request = posted(part(b"a" * size, b'name="manifest"; filename="plugin.yaml"'), MULTIPART)
        expected = {"manifest": [("plugin.yaml", b"a" * size)]}
        same = await read_form(request) == expected == await read_form(request)
        await request.close()
        return same

    for size in (10, 10_000, 2_000_000):
        assert asyncio.run(twice(size))
