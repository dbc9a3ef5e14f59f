"""The contract in the schema registry: which schemas are registered, and registering them.

Only `compat-guard topics apply` writes here. Processors look schemas up and never register one.
"""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

import httpx

from processors.contracts.plan import ActualSubject
from processors.errors import ContractBroken, RegistryUnavailable, SettingsInvalid, shorten
from processors.stream.wire.registry import text_of

_NOT_FOUND = 404
_REFUSED = (409, 422)


class Subjects:
    """A registry with Confluent's REST interface, version 7.

    Every method raises RegistryUnavailable if it does not answer, SettingsInvalid if it refuses our credentials.
    """

    def __init__(self, client: httpx.Client) -> None:
        """`client` has the interface's base URL, the credentials and a timeout."""
        self._client = client

    def read(self, subject: str, text: str) -> ActualSubject:
        """All versions of a subject, none if it does not exist, and whether `text` is one of them."""
        path = _path("subjects", subject)
        numbers = cast("list[int]", self._ask("GET", f"{path}/versions") or [])
        versions = [self._ask("GET", f"{path}/versions/{number}") for number in sorted(numbers)]
        texts = tuple(cast("dict[str, str]", version)["schema"] for version in versions if version)
        holds = bool(texts) and self._ask("POST", path, {"schema": text}) is not None
        return ActualSubject(texts, self._compatibility(subject), holds)

    def register(self, subject: str, text: str) -> None:
        """Raises ContractBroken with the registry's own message if it finds the schema invalid or incompatible."""
        self._ask("POST", f"{_path('subjects', subject)}/versions", {"schema": text})

    def set_compatibility(self, subject: str, level: str) -> None:
        self._ask("PUT", _path("config", subject), {"compatibility": level})

    def _compatibility(self, subject: str) -> str | None:
        """The level of the subject itself. Some registries return the global one, which then applies."""
        found = self._ask("GET", _path("config", subject))
        return cast("dict[str, str]", found)["compatibilityLevel"] if found else None

    def _ask(self, method: str, path: str, body: object = None) -> object:
        """The JSON of the response; None if nothing was found."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RegistryUnavailable(f"the registry at {self._client.base_url} does not answer: {error}") from None
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.is_success:
            return cast("object", answer.json())
        raise _refusal(answer)


def _path(what: str, subject: str) -> str:
    return f"/{what}/{quote(subject, safe='')}"


def _refusal(answer: httpx.Response) -> ContractBroken | SettingsInvalid | RegistryUnavailable:
    said = shorten(" ".join(text_of(answer).split()), 600)
    if answer.status_code in _REFUSED:
        return ContractBroken(f"the registry refuses the schema for {answer.url.path}: {said}")
    if answer.is_client_error:
        return SettingsInvalid(f"the registry answers {answer.status_code} to {answer.url.path}: {said}")
    return RegistryUnavailable(f"the registry answers {answer.status_code} to {answer.url.path}: {said}")
