"""From a typed page to an answer: Jinja with autoescape for everything, and headers that let nothing else in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from processors.checker.views.outline import clean
from processors.client.exception_facts import left
from processors.configuration.gateway import ConsoleConfig, Role
from processors.documents.instants import utc

STRICT: Final = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_NAVIGATION: Final[Sequence[tuple[str, str, frozenset[Role]]]] = (
    ("/check", "Check", frozenset({Role.REQUESTER})),
    ("/live", "Results", frozenset({Role.READER})),
    ("/exceptions", "Exceptions", frozenset({Role.READER, Role.APPROVER, Role.REQUESTER})),
    ("/matrix", "Matrix", frozenset({Role.READER})),
    ("/ledger", "Ledger", frozenset({Role.AUDITOR})),
    ("/deliveries", "Deliveries", frozenset({Role.OPERATOR})),
    ("/findings", "Findings", frozenset()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a template shows, under the name `page`. Subclasses name their template and add what it needs."""

    template: ClassVar[str]
    title: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around every page: who looks at it, where they are, and where else they may go."""

    name: str = ""
    roles: frozenset[Role] = frozenset()
    decides_as: frozenset[str] = frozenset()
    """Roles of the exception workflow."""
    at: str = ""
    can_log_out: bool = False
    can_log_in: bool = False
    logged_in_for: int = 0
    """Seconds after which the session ends if no page is loaded before; 0 without one."""
    dashboards: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def navigation(self) -> list[tuple[str, str]]:
        return [(to, title) for to, title, roles in _NAVIGATION if not roles or roles & self.roles]


def rendered(
    page: Page, frame: Frame, config: ConsoleConfig | None, status: int = 200, headers: Mapping[str, str] = {}
) -> HTMLResponse:
    now = time.time_ns() // 1_000_000
    text = _templates.get_template(page.template).render(page=page, frame=frame, now=now)
    policy = {"Content-Security-Policy": _policy(config)}
    return HTMLResponse(text, status, {**STRICT, **policy, **headers})


def _policy(config: ConsoleConfig | None) -> str:
    """Forms may lead to the identity provider, because an answer to a form may redirect there."""
    provider = ""
    if config is not None:
        parts = urlsplit(config.authorize)
        provider = f" {parts.scheme}://{parts.netloc}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action 'self'{provider}; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def instant(at: int | None) -> str:
    """UTC, to the second."""
    return "" if at is None else f"{utc(at):%Y-%m-%d %H:%M:%S} UTC"


def _spoken(text: str) -> str:
    """A time of ISO 8601 as the pages write times."""
    return f"{text[:19].replace('T', ' ')} UTC"


def _coded(text: str) -> Markup:
    """A sentence whose `names` are set as code. Where a backtick stands alone, the text is left as it is."""
    text = "\n".join(map(clean, text.split("\n")))
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def _machine(at: int) -> str:
    return utc(at).isoformat()


def _word(symbol: Any) -> str:
    """A symbol of the contract in words: `ALLOW_BY_EXCEPTION` is `allow by exception`.

    The contract has several words for saying no; people are told one.
    """
    word = str(symbol).replace("_", " ").lower()
    return {"rejected": "refused", "deny": "refuse"}.get(word, word)


def _number(number: int) -> str:
    """With the thousands set apart: `1,234`."""
    return f"{number:,}"


def _hours(span: int) -> str:
    """Milliseconds as people say them: `8 h`, `30 min`."""
    return f"{span / 3_600_000:g} h" if span >= 3_600_000 else f"{span / 60_000:g} min"


def _days(span: int) -> str:
    """Milliseconds as people say them: `7 days`; hours below one."""
    days = span / 86_400_000
    return _hours(span) if days < 1 else f"{days:g} {'day' if days == 1 else 'days'}"


def _age(span: float) -> str:
    """Milliseconds since then, as roughly as people say them: `3 days`, `5 h`, `20 min`."""
    for length, one, many in ((86_400_000, "day", "days"), (3_600_000, "h", "h"), (60_000, "min", "min")):
        if span >= length:
            return f"{span / length:.0f} {one if round(span / length) == 1 else many}"
    return "less than a minute"


_templates = Environment(
    loader=PackageLoader("processors.gateway.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
for _name, _filter in {
    "instant": instant,
    "spoken": _spoken,
    "coded": _coded,
    "machine": _machine,
    "left": left,
    "word": _word,
    "hours": _hours,
    "number": _number,
    "days": _days,
    "age": _age,
}.items():
    _templates.filters[_name] = _filter  # pyright: ignore[reportUnknownMemberType] - Jinja does not type it
