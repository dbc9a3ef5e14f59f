"""A small OpenID Connect identity provider for demos and tests: people, passwords and a second factor.

Run as a separate program: `python -m processors.embedded.login_provider CONFIG`. It knows one client and keeps no
sessions, so everybody logs in every time, whatever `max_age` and `prompt` ask for. It also plays the role of
people's phones and shows the one-time code beside its field: it proves nothing about anybody, and listens on
loopback.

Protocol: OpenID Connect Core 1.0 (authorization code), RFC 7636 (PKCE, S256 only), RFC 6238 (one-time codes), RFC
9207 (`iss` beside the code).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import uvicorn
from joserfc import jws
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

LIFE: Final = 300
"""Seconds that a token is good for."""

CODE_LIFE: Final = 60.0
OTP_PERIOD: Final = 30
"""Seconds."""

MOST_CODES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client and the people who may log in. `people` are claims by subject; all have the same password."""

    issuer: str
    client_id: str
    redirect_uri: str
    audience: str
    password: str
    people: Mapping[str, Mapping[str, Any]]


class _Code(NamedTuple):
    """A login whose tokens the client has not fetched yet."""

    subject: str
    nonce: str
    challenge: str
    at: float


class LoginProvider:
    """The endpoints. Everything is in memory, and a new key is created at every start."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._key = ECKey.generate_key("P-256", {"kid": f"login-{secrets.token_hex(4)}"})
        self._secret = secrets.token_bytes(20)
        self._codes: dict[str, _Code] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.configuration),
                Route("/keys", self.keys),
                Route("/authorize", self.ask, methods=["GET"]),
                Route("/authorize", self.log_in, methods=["POST"]),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def configuration(self, _: Request) -> Response:
        issuer = self._client.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": "ES256"}]})

    async def ask(self, request: Request) -> Response:
        return self._refused(request) or self._page(request)

    async def log_in(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        form = await _form(request)
        subject = form.get("person", "")
        password = hmac.compare_digest(form.get("password", "").encode(), self._client.password.encode())
        code = form.get("code", "").replace(" ", "")
        if subject not in self._client.people or not password or not self._is_current(code):
            return self._page(request, "Person, password and code do not fit together. Try again.")
        asked = request.query_params
        handed = secrets.token_urlsafe(24)
        self._forget_old()
        self._codes[handed] = _Code(subject, asked.get("nonce", ""), asked["code_challenge"], time.time())
        answer = {"code": handed, "state": asked.get("state", ""), "iss": self._client.issuer}
        return RedirectResponse(f"{self._client.redirect_uri}?{urlencode(answer)}", 303)

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        found = self._codes.pop(form.get("code", ""), None)
        challenge = _challenge(form.get("code_verifier", ""))
        if (
            found is None
            or form.get("grant_type") != "authorization_code"
            or form.get("client_id") != self._client.client_id
            or form.get("redirect_uri") != self._client.redirect_uri
            or not hmac.compare_digest(challenge, found.challenge)
            or time.time() - found.at > CODE_LIFE
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {
            "token_type": "Bearer",
            "expires_in": LIFE,
            "id_token": self._signed(
                {
                    **self._said(found.subject, self._client.client_id),
                    "auth_time": int(found.at),
                    "amr": ["pwd", "otp"],
                    **({"nonce": found.nonce} if found.nonce else {}),
                },
                "JWT",
            ),
            "access_token": self._signed(self._said(found.subject, self._client.audience), "at+jwt"),
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def one_time_code(self, steps_ago: int = 0) -> str:
        """RFC 6238 with six digits."""
        counter = struct.pack(">Q", int(time.time()) // OTP_PERIOD - steps_ago)
        digest = hmac.new(self._secret, counter, hashlib.sha1).digest()
        offset = digest[-1] & 15
        number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"

    def _is_current(self, code: str) -> bool:
        return any(hmac.compare_digest(self.one_time_code(ago).encode(), code.encode()) for ago in range(2))

    def _refused(self, request: Request) -> Response | None:
        """What is asked for in another's name is told to whoever looks, and redirected to nobody."""
        asked, client = request.query_params, self._client
        if asked.get("client_id") != client.client_id or asked.get("redirect_uri") != client.redirect_uri:
            return HTMLResponse("<!doctype html><title>Refused</title><p>This client is not known here.", 400)
        wants = {"response_type": "code", "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in wants.items()) or not asked.get("code_challenge"):
            answer = {"error": "invalid_request", "state": asked.get("state", ""), "iss": client.issuer}
            return RedirectResponse(f"{client.redirect_uri}?{urlencode(answer)}", 303)
        return None

    def _said(self, subject: str, audience: str) -> dict[str, Any]:
        now = int(time.time())
        about = self._client.people[subject]
        return {
            **about,
            "iss": self._client.issuer,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + LIFE,
        }

    def _signed(self, claims: Mapping[str, Any], kind: str) -> str:
        header = {"alg": "ES256", "kid": self._key.kid, "typ": kind}
        return jws.serialize_compact(header, json.dumps(claims), self._key, algorithms=["ES256"])

    def _forget_old(self) -> None:
        now = time.time()
        self._codes = {code: of for code, of in self._codes.items() if now - of.at <= CODE_LIFE}
        while len(self._codes) >= MOST_CODES:
            del self._codes[next(iter(self._codes))]

    def _page(self, request: Request, wrong: str = "") -> Response:
        people = "".join(
            f'<label><input type="radio" name="person" value="{escape(subject)}" required> '
            f"<span>{escape(str(about.get('name', subject)))}<small>{escape(_does(about))}</small></span></label>"
            for subject, about in self._client.people.items()
        )
        said = f'<p role="alert">{escape(wrong)}</p>' if wrong else ""
        text = _PAGE.format(
            said=said,
            people=people,
            query=escape(str(request.url.query)),
            password=escape(self._client.password),
            code=self.one_time_code(),
        )
        parts = urlsplit(self._client.redirect_uri)
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {parts.scheme}://{parts.netloc}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(text, 403 if wrong else 200, headers)


async def _form(request: Request) -> dict[str, str]:
    """In UTF-8, whatever charset it says: some take minutes to decode."""
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _does(about: Mapping[str, Any]) -> str:
    return ", ".join([*about.get("groups", ()), *about.get("roles", ())])


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; --ink: #1f2328; --quiet: #57606a; --ground: #fff; --link: #0550ae; --on: #fff; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6edf3; --quiet: #a3adb8; --ground: #0f1419; --link: #79b8ff; --on: #0f1419; }}
}}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--ground); }}
label {{ display: flex; gap: .6rem; margin: .5rem 0; align-items: start; }}
label.field {{ display: block; }}
input[type=radio] {{ width: 1.2rem; height: 1.2rem; margin: .15rem 0 0; }}
.field input {{ display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem; }}
small {{ display: block; color: var(--quiet); }}
button {{ font: inherit; font-weight: 600; padding: .5rem 1rem; border: 0; border-radius: .4rem;
  background: var(--link); color: var(--on); }}
fieldset {{ border: 1px solid var(--quiet); border-radius: .4rem; }}
</style></head><body><main>
<h1>Log in</h1>{said}
<form method="post" action="/authorize?{query}">
<fieldset><legend>Who are you?</legend>{people}</fieldset>
<label class="field">Password <input type="password" name="password" value="{password}" required
 autocomplete="off"></label>
<label class="field">One-time code <input name="code" required inputmode="numeric" autocomplete="one-time-code">
<small>The phone of this demonstration shows <b>{code}</b></small></label>
<p><button>Log in</button></p>
</form>
<p><small>This provider belongs to the demonstration: everybody has the same password, and it proves nothing about
anybody.</small></p>
</main></body></html>
"""


def main(config: str, port: str) -> None:
    client = Client(**json.loads(Path(config).read_text("utf-8")))
    uvicorn.run(LoginProvider(client).app(), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
