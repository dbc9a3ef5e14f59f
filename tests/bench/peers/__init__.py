"""What a user would otherwise pick, doing the least of the same work: decode, encode, exactly once.

Each is built on the first use into a folder of the cache, and runs in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from processors.configuration.settings import Settings
from processors.events.topics import INSTALL_REQUESTS
from processors.stream.wire.schema import Schemas

HERE = Path(__file__).parent


def available(cache: Path, say: Sequence[str] = ()) -> Mapping[str, Sequence[str]]:
    """The commands of the peers that can be built here, by their names in the table.

    Kafka Streams needs Maven and a Java compiler of release 17 or newer; Quix Streams an index of Python packages.
    """
    built: dict[str, Sequence[str]] = {}
    if shutil.which("mvn") and shutil.which("javac"):
        built["kafka-streams-codec"] = _kafka_streams(cache / "kafka-streams")
    built["quix-codec"] = _quix(cache / "quix")
    return built


def _kafka_streams(home: Path) -> Sequence[str]:
    source = HERE / "kafka_streams"
    if not (home / "classes").is_dir():
        jars = f"-DoutputDirectory={home / 'jars'}"
        _quietly("mvn", "-q", "-B", "-f", str(source / "pom.xml"), "dependency:copy-dependencies", jars)
        classes = ("-cp", f"{home / 'jars'}/*", "-d", str(home / "classes"))
        _quietly("javac", "--release", "17", *classes, str(source / "Codec.java"))
    return ("java", "-Xmx1g", "-cp", f"{home / 'classes'}:{home / 'jars'}/*", "Codec")


def _quix(home: Path) -> Sequence[str]:
    python = home / "bin" / "python"
    if not python.exists():
        _quietly(sys.executable, "-m", "venv", str(home))
        _quietly(str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "quix" / "requirements.txt"))
    return (str(python), str(HERE / "quix" / "codec.py"))


def _quietly(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measured(command: Sequence[str], name: str, settings: Settings, target: str, count: int, folder: Path) -> float:
    """Seconds that a peer takes for so many records, from its first to its last; it is more than that to a user."""
    arguments = (settings.kafka.bootstrap, INSTALL_REQUESTS, target, name, str(count), str(folder))
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [*command, *arguments], check=True, capture_output=True, text=True, env=plain, timeout=600
    )
    return float(done.stdout.split()[-1])


def hand_out(folder: Path, schemas: Schemas, result: Mapping[str, object]) -> None:
    """What they need to know of our events: the schemas, and a result of ordinary size."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.avsc").write_text(schemas["InstallRequested"].text, "utf-8")
    (folder / "result.avsc").write_text(schemas["CompatibilityChecked"].text, "utf-8")
    (folder / "result.bin").write_bytes(schemas["CompatibilityChecked"].encode(result))
