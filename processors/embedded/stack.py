"""The three servers as one thing with a data folder."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from processors.embedded import kafka, postgres, registry
from processors.embedded.archive import java_options
from processors.embedded.artifacts import KAFKA, REGISTRY
from processors.embedded.cache import installed
from processors.embedded.part import Part, Recipe, start_together
from processors.embedded.ports import HOST, Ports, ports_of
from processors.embedded.progress import Progress, Silent
from processors.embedded.protection import Protection
from processors.embedded.staging import FileLock
from processors.embedded.state import Identity, State, end_processes, read_state, write_state
from processors.errors import PortTaken, SettingsInvalid

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients find the servers."""

    bootstrap: str
    """Kafka's `bootstrap.servers`."""
    registry: str
    """Base URL of the Confluent-compatible interface."""
    postgres: str
    """SQLAlchemy URL with user and password."""
    data: Path

    def as_json(self) -> dict[str, str]:
        return {**asdict(self), "data": str(self.data)}

    @classmethod
    def from_json(cls, raw: dict[str, str]) -> Addresses:
        return cls(raw["bootstrap"], raw["registry"], raw["postgres"], Path(raw["data"]))


class Stack:
    """Kafka, registry and Postgres on loopback, with all they keep in one data folder.

    A data folder serves one stack at a time. The servers live until `stop`, at the longest until this object
    or its process is gone, however it went. `kafka`, `registry` and `postgres` exist after `start`; `registry` only
    where it is not another stack's.
    """

    kafka: Part
    registry: Part
    postgres: Part

    def __init__(
        self,
        data: Path,
        *,
        progress: Progress | None = None,
        protection: Protection | None = None,
        optimised: bool = False,
        registry: str | None = None,
    ) -> None:
        """A broker with `protection` asks everybody who they are; without, it lets the whole machine in.

        One that is `optimised` is worth measuring, and takes longer to start. `registry` is the base URL of another
        stack's, which is used instead of one of its own: schemas are the same on every broker, and half of the time
        of a start is the registry's.
        """
        self.data = data.expanduser().resolve()
        self._protection, self._optimised, self._registry = protection, optimised, registry
        self._progress = progress or Silent()
        self._lock = lock_of(self.data)
        self._spawner = ThreadPoolExecutor(1, "spawner")  # one thread for life: see leash.py
        self._writing = threading.Lock()
        self._ports: Ports | None = None
        self._addresses: Addresses | None = None
        self.parts: tuple[Part, ...] = ()

    def start(self) -> Addresses:
        """Return when all three serve. The first start on a machine downloads 205 MB.

        Raises SettingsInvalid when the data folder cannot be used or another process does, DownloadFailed, and
        StackPartFailed for the first server that does not come up. Nothing runs then.
        """
        self._take_folder()
        try:
            self._sweep()
            self._start_parts()
            self._addresses = self._find_addresses()
            self._write()
        except BaseException:
            self.stop()
            raise
        return self._addresses

    def stop(self) -> None:
        """End what runs, and give the data folder free. May be called twice, and after a failed start."""
        self._stop_parts()
        self._addresses = None
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Raises SettingsInvalid before `start` and after `stop`."""
        if self._addresses is None:
            raise SettingsInvalid(f"the stack on `{self.data}` does not run")
        return self._addresses

    def _take_folder(self) -> None:
        try:
            taken = self._lock.acquire(wait=False)
        except OSError as error:
            raise SettingsInvalid(f"cannot keep a stack in `{self.data}`: {error.strerror}") from error
        if not taken:
            raise _in_use(self.data)

    def _sweep(self) -> None:
        """End what a killed predecessor left: we hold the lock, so nobody else can need it."""
        left = read_state(self._state_file)
        if left and end_processes(left.parts.values()):
            self._progress.say("ended servers that an earlier run left behind")

    def _start_parts(self) -> None:
        """Choose ports and start. A stranger may take one in the seconds in between; others are chosen then."""
        for left in reversed(range(ATTEMPTS)):
            self._make_parts()
            try:
                start_together(self.parts)
                break
            except PortTaken as error:
                if not left:
                    raise
                self._progress.say(f"somebody took the port of {error.part}; choosing another")
                self._stop_parts()

    def _make_parts(self) -> None:
        homes = {release: installed(release, self._progress) for release in (KAFKA, REGISTRY)}
        ports = self._ports = ports_of(self.data / "ports.json")
        self.kafka = self._part(
            kafka.kafka(
                homes[KAFKA],
                self.data / "kafka",
                *kafka.alone(ports),
                self._protection,
                optimised=self._optimised,
                archive=() if self._optimised else java_options(KAFKA),
            )
        )
        self.postgres = self._part(postgres.postgres(self.data / "postgres", ports))
        self.parts = (self.kafka, self.postgres)
        if self._registry is None:
            folder = self.data / "registry"
            self.registry = self._part(registry.registry(homes[REGISTRY], folder, ports, java_options(REGISTRY)))
            self.parts = (self.kafka, self.registry, self.postgres)

    def _part(self, recipe: Recipe) -> Part:
        return Part(recipe, self.data / "logs" / f"{recipe.name}.log", self._spawner, self._write)

    def _stop_parts(self) -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(Part.stop, self.parts))

    def _find_addresses(self) -> Addresses:
        ports = self._ports
        assert ports is not None  # noqa: S101  set by _make_parts
        return Addresses(
            bootstrap=f"{HOST}:{ports.kafka}",
            registry=self._registry or registry.url(ports),
            postgres=postgres.url(self.data / "postgres", ports),
            data=self.data,
        )

    @property
    def _state_file(self) -> Path:
        return state_file(self.data)

    def _write(self) -> None:
        """Called at every change of a process, so that no moment leaves one that nobody knows of."""
        with self._writing:
            parts = {part.name: part.identity for part in self.parts if part.identity}
            addresses = self._addresses.as_json() if self._addresses else {}
            ports = asdict(self._ports) if self._ports else {}
            write_state(self._state_file, State(Identity.of(os.getpid()), parts, ports, addresses))


def _in_use(data: Path) -> SettingsInvalid:
    state = read_state(state_file(data))
    by = f" (process {state.owner.pid})" if state else ""
    return SettingsInvalid(
        f"a stack runs on `{data}` already{by}; stop it with `compat-guard stack down --data {data}`, "
        "or give this one another folder"
    )


def state_file(data: Path) -> Path:
    return data / "stack.json"


def lock_of(data: Path) -> FileLock:
    """Held by the process whose stack runs on the folder."""
    return FileLock(data / "stack.lock")
