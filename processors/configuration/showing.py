"""The effective settings: each variable, its value, and its origin. Secrets are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, SecretStr

from processors.configuration.environment import PREFIX, SECRET_FILE
from processors.configuration.settings import Settings, configuration_folder, shipped

MASKED: Final = "********"
_USER: Final = re.compile(r"//[^/?#\s]*@")
"""A user and password in an address."""


class Setting(NamedTuple):
    """`origin` is `default`, `environment`, or the file of the secret; `value` is empty if there is none."""

    variable: str
    value: str
    origin: str
    means: str


def settings_shown(of: Settings, environment: Mapping[str, str]) -> list[Setting]:
    """Every setting, in the order of its section. `environment` is what `of` was read from."""
    return list(_shown(of, {name.upper(): value for name, value in environment.items()}))


def _shown(model: BaseModel, environment: Mapping[str, str], start: str = PREFIX) -> Iterator[Setting]:
    for name, field in type(model).model_fields.items():
        variable, value = start + name.upper(), getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _shown(value, environment, f"{variable}__")
        else:
            yield Setting(variable, _value(value), _origin(variable, environment), field.description or "")


def _value(value: Any) -> str:
    if isinstance(value, SecretStr):
        return MASKED if value.get_secret_value() else ""
    return "" if value is None else _USER.sub(f"//{MASKED}@", str(value))


def _origin(variable: str, environment: Mapping[str, str]) -> str:
    if variable in environment:
        return "environment"
    if file := environment.get(variable + SECRET_FILE):
        return f"file {file}"
    if variable == f"{PREFIX}CONFIG":
        return "shipped defaults" if configuration_folder() == shipped("config") else "./config"
    return "default"
