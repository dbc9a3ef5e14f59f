"""The variables of an environment: which of them the guard knows, and what the files hold that they name.

A variable that nobody reads is a mistake that shows itself only in production, so a mistyped one is refused. A
secret may come from a file, as orchestrators hand it out: `GUARD_KAFKA__PASSWORD_FILE` names the file whose content
is `GUARD_KAFKA__PASSWORD`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from processors.errors import SettingsInvalid, nearest

PREFIX: Final = "GUARD_"
SECRET_FILE: Final = "_FILE"  # noqa: S105 - part of a name, and no secret
"""Ends the name of a variable that names the file of a secret."""
LARGEST_SECRET: Final = 64 * 1024
"""Bytes. A longer file is no password but a mistake."""

ELSEWHERE: Final = frozenset(
    {
        "GUARD_CACHE",  # the embedded stack
        "GUARD_MAVEN_MIRROR",
        "GUARD_DEVELOPMENT",  # the reference approval tool
        "GUARD_CHAOS",  # the tests
        "GUARD_DIFFERENTIAL_ROWS",
        "GUARD_FUZZ",
        "GUARD_SOAK",
        "GUARD_GOLDEN",
    }
)
"""Variables of ours that are no settings."""

_FOR_TESTS: Final = "GUARD_TEST_"
_OF_A_SERVICE = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP)(_\w+)?$")
"""What Kubernetes sets for a Service whose name begins with `guard-`."""


def refuse_unknown(environment: Mapping[str, str], settings: type[BaseSettings]) -> None:
    """Raise SettingsInvalid that names each GUARD_* variable which nobody reads, with the one probably meant."""
    known = {name for name, _ in _variables(settings)} | {f"{name}{SECRET_FILE}" for name in _secrets(settings)}
    unknown = [
        name
        for name in sorted(environment)
        if name.upper().startswith(PREFIX)
        and name.upper() not in known | ELSEWHERE
        and not name.startswith(_FOR_TESTS)
        and not _is_of_a_service(name, environment[name])
    ]
    if unknown:
        raise SettingsInvalid("; ".join(f"there is no {name}; {nearest(name.upper(), known)}" for name in unknown))


def with_secret_files(environment: Mapping[str, str | None], settings: type[BaseSettings]) -> dict[str, str | None]:
    """The same variables, by lower-case name, with the content of each secret's file in the place of its path.

    A line break at the end of a file is not part of its secret. Raises SettingsInvalid that names the variable
    whose file cannot be read, or that is set in both ways.
    """
    found = {name.lower(): value for name, value in environment.items()}
    for secret in _secrets(settings):
        file = found.pop(f"{secret}{SECRET_FILE}".lower(), None)
        if file is None:
            continue
        if secret.lower() in found:
            raise SettingsInvalid(f"{secret} and {secret}_FILE are both set; unset one of them")
        found[secret.lower()] = _content(f"{secret}{SECRET_FILE}", Path(file))
    return found


def _content(variable: str, file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_SECRET + 1)
        if len(raw) > LARGEST_SECRET:
            raise SettingsInvalid(f"{variable}: `{file}` is larger than {LARGEST_SECRET} bytes")
        return raw.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsInvalid(f"{variable}: `{file}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{variable}: `{file}` is not UTF-8") from None


def _is_of_a_service(name: str, value: str) -> bool:
    return bool(_OF_A_SERVICE.search(name)) or (name.endswith("_PORT") and value.startswith(("tcp://", "udp://")))


def _secrets(settings: type[BaseModel]) -> set[str]:
    """The variables that hold secrets."""
    return {name for name, is_secret in _variables(settings) if is_secret}


def _variables(model: type[BaseModel], start: str = PREFIX) -> Iterator[tuple[str, bool]]:
    """Every variable of the settings, and whether it holds a secret."""
    for name, field in model.model_fields.items():
        variable, annotation = start + name.upper(), field.annotation
        yield variable, annotation is SecretStr
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _variables(annotation, f"{variable}__")
