"""The environment variables of the guard: which ones exist, their values, and the content of files that they name.

An unknown variable is a mistake that would show only in production, so it is refused. A secret may come from a
file, as orchestrators provide it: `GUARD_KAFKA__PASSWORD_FILE` names the file with the content of
`GUARD_KAFKA__PASSWORD`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from processors.errors import SettingsInvalid, nearest

PREFIX: Final = "GUARD_"
SECRET_FILE: Final = "_FILE"  # noqa: S105 - part of a name, and no secret
"""The suffix of a variable that names the file of a secret."""
LARGEST_SECRET: Final = 64 * 1024
"""Bytes. A longer file cannot be a password."""

ELSEWHERE: Final = frozenset(
    {
        "GUARD_CACHE",  # the embedded stack
        "GUARD_MAVEN_MIRROR",
        "GUARD_DEVELOPMENT",  # the reference approval tool
        "GUARD_CHAOS",  # the tests
        "GUARD_DIFFERENTIAL_ROWS",
        "GUARD_FUZZ",
        "GUARD_PLANS",
        "GUARD_SOAK",
        "GUARD_GOLDEN",
    }
)
"""Our variables that are not settings."""

_FOR_TESTS: Final = "GUARD_TEST_"
_OF_A_SERVICE = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP)(_\w+)?$")
"""The variables that Kubernetes sets for a Service whose name begins with `guard-`."""


def refuse_unknown(environment: Mapping[str, str], settings: type[BaseModel]) -> None:
    """Raise SettingsInvalid that names each unknown GUARD_* variable, with what was probably meant."""
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
        raise SettingsInvalid("; ".join(f"there is no {name}; {_meant(name.upper(), known)}" for name in unknown))


def _meant(name: str, known: Collection[str]) -> str:
    """For a section of the settings the variables that it is made of, the first one as it is set: whoever gives it
    as one text has found nothing that was mistyped."""
    section = f"{name.rstrip('_')}__"
    if parts := sorted(variable for variable in known if variable.startswith(section)):
        *others, last = parts
        there = f"{', '.join(others)} and {last}" if others else last
        return f"each value of it has a variable of its own, as in {_example(parts)}=...: {there}"
    return nearest(name, known)


def _example(parts: Sequence[str]) -> str:
    """Where a server is, is what most sections begin with."""
    return next((part for part in parts if part.endswith(("__BOOTSTRAP", "__URL"))), parts[0])


def values_of(environment: Mapping[str, str], settings: type[BaseModel]) -> dict[str, Any]:
    """The values of the variables, as texts in the structure of `settings`. Names are case-insensitive.

    The content of a secret's file replaces its path; a trailing line break is not part of the secret. Raises
    SettingsInvalid that names the variable whose file cannot be read, or that is set in both ways.
    """
    return _values({name.upper(): value for name, value in environment.items()}, settings, PREFIX)


def _values(environment: Mapping[str, str], model: type[BaseModel], start: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        variable = start + name.upper()
        if section := _section(field.annotation):
            found[name] = _values(environment, section, f"{variable}__")
        elif (value := _value(variable, environment, secret=field.annotation is SecretStr)) is not None:
            found[name] = value
    return found


def _value(variable: str, environment: Mapping[str, str], *, secret: bool) -> str | None:
    value, file = environment.get(variable), environment.get(variable + SECRET_FILE) if secret else None
    if file is None:
        return value
    if value is not None:
        raise SettingsInvalid(f"{variable} and {variable}{SECRET_FILE} are both set; unset one of them")
    return _content(variable + SECRET_FILE, Path(file))


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
        variable = start + name.upper()
        if section := _section(field.annotation):
            yield from _variables(section, f"{variable}__")
        else:
            yield variable, field.annotation is SecretStr


def _section(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
