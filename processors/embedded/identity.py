"""The identity provider beside the stack: a separate process on loopback, as long as it is used."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from processors.embedded.login_provider import Client
from processors.embedded.part import Part, Recipe
from processors.embedded.ports import HOST, free_port
from processors.embedded.registry import serves

CLIENT: Final = "compat-guard-console"
AUDIENCE: Final = "compat-guard"


class IdentityProvider:
    """Logs people in to one console. Use as a context manager. `people` are claims by subject.

    Raises StackPartFailed if it does not come up.
    """

    def __init__(self, data: Path, console: str, people: Mapping[str, Mapping[str, Any]], password: str) -> None:
        """`console` is the address of the gateway, as browsers see it."""
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        self._data = data.resolve()
        client = Client(
            issuer=self.url,
            client_id=CLIENT,
            redirect_uri=f"{console}/login/done",
            audience=AUDIENCE,
            password=password,
            people=people,
        )
        config = self._data / "identity.json"
        self._data.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(asdict(client)), "utf-8")
        recipe = Recipe(
            name="identity",
            command=(sys.executable, "-m", "processors.embedded.login_provider", str(config), str(port)),
            prepare=lambda _: None,
            is_ready=lambda _pid, _log: serves(f"{self.url}/keys"),
        )
        self._spawner = ThreadPoolExecutor(1, "spawner")
        self._part = Part(recipe, self._data / "identity.log", self._spawner, lambda: None)

    def __enter__(self) -> Self:
        self._part.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._part.stop()
        self._spawner.shutdown()
