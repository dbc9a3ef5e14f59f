"""compat-guard: the command line. Only `main` converts an error to an exit code."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from processors.cli.exit_codes import FAULT, OUTPUT_LOST, tells_verdict
from processors.errors import BrokerUnavailable, DatabaseUnavailable, GuardError, RegistryUnavailable

if TYPE_CHECKING:
    from rich.console import Console

ASKING: Final = "asking"
"""Name of the threads that wait for a server, see `waiting`."""


def main() -> None:
    """Run the command line. `exit_codes` defines the exit code of each command.

    A closed pipe is no error for a listing. A lost verdict must count neither as a pass nor as a block, and neither
    must a fault of our own: it ends with its traceback and with FAULT.
    """
    try:
        _main()
    except Exception as error:  # noqa: BLE001 - the outermost edge: Python would exit with 1, which means blocked
        sys.excepthook(type(error), error, error.__traceback__)
        _leave(FAULT)


def _main() -> None:
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # other installed packages must not change the output
    gc.disable()  # until `settle`: imported modules are not garbage, and collecting takes a fifth of a check
    from processors.cli.root import app  # noqa: PLC0415 - commands are imported only by those who run them

    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - closed by whoever started us
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process

    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except GuardError as error:
        _complain(f"{error}{_where(error)}")
        _leave(error.exit_code)
    except typer.TyperException as error:
        if message := error.format_message():  # empty if the help was shown instead
            _complain(f"{message.removesuffix('.').replace('Value error, ', '')} (see --help)")
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _leave(130)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # typer ends with 1, which means blocked
            _give_up_stdout()
            sys.exit(OUTPUT_LOST if tells_verdict(sys.argv[1:]) else 0)
        raise
    except BrokenPipeError:
        _give_up_stdout()
        sys.exit(OUTPUT_LOST if tells_verdict(sys.argv[1:]) else 0)
    except OSError as error:
        about = f": `{error.filename}`" if error.filename else ""
        _complain(f"{error.strerror or str(error) or type(error).__name__}{about}")
        _give_up_stdout()
        sys.exit(2 if error.filename else OUTPUT_LOST)
    sys.exit(code if isinstance(code, int) else 0)


def settle() -> None:
    """Enable garbage collection, without the objects of imported modules: they live as long as the process."""
    if not gc.isenabled():  # no program that calls a command has its own memory frozen
        gc.freeze()
        gc.enable()


def _leave(code: int) -> NoReturn:
    """Exit now. A thread that still looks for a broker would delay the interpreter's exit for seconds."""
    if any(thread.name == ASKING for thread in threading.enumerate()):
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _give_up_stdout() -> None:
    """Otherwise the interpreter tries once more to write the rest, and prints an error of its own."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)


def talk() -> Console:
    """Messages for people: on stderr, without line wrapping. Data goes to stdout."""
    from rich.console import Console  # noqa: PLC0415 - nothing to say is most of the time

    return Console(stderr=True, soft_wrap=True, emoji=False)


def _where(error: GuardError) -> str:
    """The address of the server that did not answer, and the variable that sets it."""
    if not isinstance(error, BrokerUnavailable | RegistryUnavailable | DatabaseUnavailable):
        return ""
    from processors.configuration.settings import settings  # noqa: PLC0415 - what is not needed is not read

    if isinstance(error, BrokerUnavailable):
        return f"; GUARD_KAFKA__BOOTSTRAP is `{settings().kafka.bootstrap}`"
    if isinstance(error, RegistryUnavailable):
        return f"; GUARD_REGISTRY__URL is `{settings().registry.url.rpartition('@')[2]}`"
    from sqlalchemy import make_url  # noqa: PLC0415 - slow, and there once a database was looked for

    url = make_url(settings().postgres.url.get_secret_value())
    return f"; GUARD_POSTGRES__URL leads to `{url.host or 'localhost'}:{url.port or 5432}`"


def _complain(message: str) -> None:
    from rich.text import Text  # noqa: PLC0415 - as above

    talk().print(Text.assemble(("error:", "bold red"), " ", message))
