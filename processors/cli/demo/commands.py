"""`compat-guard demo`: the whole guard on this machine, and the cases that it was made for, played one by one."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from processors.bootstrap.processors import PROCESSORS
from processors.cli import talk
from processors.cli.demo import exception as demo_exception
from processors.cli.demo import over_http as demo_over_http
from processors.cli.demo import scenes as demo_scenes
from processors.cli.demo.children import child
from processors.cli.demo.console import Provided, link_dashboards, provided, served
from processors.cli.demo.dashboards import watched
from processors.cli.demo.scenes import C1, CRM, PLUGINS, SCENES
from processors.configuration.settings import Settings, settings_from
from processors.errors import SettingsInvalid

if TYPE_CHECKING:
    from processors.embedded import Addresses


def demo(
    once: Annotated[bool, typer.Option("--once", help="play, check every outcome, and stop")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="folder for the servers' data; a temporary one by default")
    ] = None,
) -> None:
    """Start Kafka, the registry and Postgres here, run the guard on them, and play its main use cases.

    Ends with 0 if every outcome was the expected one. Without --once it then keeps running, with dashboards where
    Prometheus is available, and prints the address of the console to open in a browser.
    """
    if not PLUGINS.is_dir():
        raise SettingsInvalid("the demo plays from a checkout of the project; run `scripts/demo` there")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with _folder(data) as folder, _stack(folder) as addresses:
        keys = folder.absolute() / "ledger-keys.json"
        environment = {**environment_of(addresses), "GUARD_LEDGER__KEYS": str(keys)}
        of = settings_from({**os.environ, **environment})
        _run("topics", "apply", environment=environment)
        _run("ledger", "migrate", environment=environment)
        if not keys.exists():
            _run("ledger", "keys", environment=environment)
        matrix = str(shutil.copy(of.config / "compat_matrix.yaml", folder))  # the sample itself is never published
        _run("matrix", "publish", matrix, environment=environment)
        port = _health_port()
        with ExitStack() as beside:
            edge = beside.enter_context(provided(folder, of.config))
            environment |= edge.variables
            opened = {"Console": f"{edge.url}  (log in as Alice, then as Petra and Sabine)"}
            variables, log = {**environment, "GUARD_HEALTH_PORT": str(port)}, folder / "processors.log"
            beside.enter_context(child("run", "all", environment=variables, log=log))
            beside.enter_context(served(environment, folder))
            if not once:
                dashboards = beside.enter_context(watched(folder, port))
                link_dashboards(Path(environment["GUARD_CONFIG"]), dashboards)
                opened = {**dashboards, **opened}
            wrong = _play(of, environment, edge)
            _verdict(wrong)
            if not once:
                _stay(environment, opened)
    raise typer.Exit(1 if wrong else 0)


def _play(of: Settings, environment: Mapping[str, str], edge: Provided) -> list[str]:
    """Play all scenes, case C-1 over HTTP, and the exception for its block. Yields unexpected outcomes."""
    played = {scene.title: demo_scenes.play(scene, of) for scene in SCENES}
    problems = [problem for scene in played.values() for problem in scene.problems]
    blocked = played[C1.title]
    problems += demo_over_http.play(edge.platform, edge.url, blocked.digest)
    return problems + demo_exception.play(lambda command: _typed(command, environment), blocked.request_id)


def _typed(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command and show it as typed, with its output."""
    words = [part for part in command if part != demo_exception.QUIETLY]
    shown = folded(words, talk().width) if talk().is_terminal else f"$ compat-guard {shlex.join(words)}"
    talk().print(Text(shown, style="dim"), soft_wrap=True)
    done = subprocess.run(
        [sys.executable, "-m", "processors.cli", *command],
        env={**os.environ, **environment, **_width()},
        capture_output=True,
        text=True,
        check=False,
    )
    typer.echo(done.stdout, nl=False)
    typer.echo(done.stderr, nl=False, err=True)
    return done


def folded(words: Sequence[str], width: int) -> str:
    """A command in lines of a terminal, broken between words; it can be pasted into a shell."""
    lines, line = list[str](), "$ compat-guard"
    for word in map(shlex.quote, words):
        if len(f"{line} {word} \\") > width and line.strip():
            lines.append(f"{line} \\")
            line = "   "
        line = f"{line} {word}"
    return "\n".join([*lines, line])


def _width() -> dict[str, str]:
    """A child writes to a pipe, but its output is shown on this terminal."""
    return {"COLUMNS": str(talk().width)} if talk().is_terminal else {}


def environment_of(addresses: Addresses) -> dict[str, str]:
    """The addresses as variables, for children and for the reader's own shell."""
    return {
        "GUARD_KAFKA__BOOTSTRAP": addresses.bootstrap,
        "GUARD_REGISTRY__URL": addresses.registry,
        "GUARD_POSTGRES__URL": addresses.postgres,
    }


@contextmanager
def _folder(data: Path | None) -> Generator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="compat-guard-demo-") as folder:
        yield Path(folder)


@contextmanager
def _stack(folder: Path) -> Generator[Addresses]:
    from processors.embedded import Stack  # noqa: PLC0415 - an optional extra
    from processors.embedded.progress import OnConsole  # noqa: PLC0415

    talk().print("starting Kafka, the schema registry and Postgres (the first time they are downloaded)")
    stack = Stack(folder, progress=OnConsole(talk()))
    try:
        yield stack.start()
    finally:
        stack.stop()


def _run(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run a command and show it as typed; its output is shown only if it fails."""
    talk().print(f"[dim]$ compat-guard {' '.join(arguments)}[/]", highlight=False)
    done = subprocess.run(
        [sys.executable, "-m", "processors.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SettingsInvalid(f"`compat-guard {' '.join(arguments)}` ended with {done.returncode}\n{done.stderr}")


def _verdict(wrong: Sequence[str]) -> None:
    for problem in wrong:
        talk().print(f"[bold red]unexpected[/] {problem}", highlight=False)
    if not wrong:
        talk().print("[bold green]every outcome was as expected[/]")


def _health_port() -> int:
    from processors.embedded.ports import free_port  # noqa: PLC0415 - an optional extra

    return free_port(following=len(PROCESSORS))


def _stay(environment: Mapping[str, str], pages: Mapping[str, str]) -> None:
    talk().print("\nThe guard stays up until Ctrl-C. In another terminal, in this folder:\n")
    for name, value in environment.items():
        print(f"export {name}='{value}'")
    talk().print(
        "\n.venv/bin/compat-guard watch --from-beginning\n"
        ".venv/bin/compat-guard request --manifest scripts/demo.plugins/inventory-sync-1.5.0.yaml "
        f"--host corex@1.9.0 --installed {CRM}@0.6.0 --runtime go@1.22\n"
        ".venv/bin/compat-guard matrix explain com.powerx.legacy.reports@1.2.0 corex@1.9.0\n",
        highlight=False,
        soft_wrap=True,
    )
    widest = max(map(len, pages), default=0)
    for name, page in pages.items():
        talk().print(f"{name:<{widest}}  [bold]{page}[/]", highlight=False, soft_wrap=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        talk().print("stopping")
