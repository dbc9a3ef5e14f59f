"""A process that kills itself at one step of a transaction, as kill -9 would.

Arguments: the step, and how often it is survived; then `counting`, settings as JSON and a name; or `exceptions` and
what `exception_worker.py` takes; or the words of a `compat-guard` command.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from chaos import exception_worker
from examples.counting import Counting
from examples.sealing import SEALS

from processors.cli import main
from processors.ledger.transaction import PostgresTransaction
from processors.stream.loop.loop import run
from processors.stream.loop.transaction import KafkaTransaction
from processors.stream.settings import StreamSettings

METHODS = {"begin": "begin", "write": "write", "flush": "_flush", "offsets": "advance", "commit": "commit"}
"""What does a step, by the name of the step. Nothing comes between the end of one and the end of the process."""

IN_POSTGRES = tuple(step for step in METHODS if step != "flush")
"""The steps of the ledger's transaction."""


def die_after(step: str, survived: int, transaction: type[KafkaTransaction | PostgresTransaction]) -> None:
    does: Callable[..., Any] = getattr(transaction, METHODS[step])
    left = iter(range(survived))

    def does_and_dies(*arguments: Any) -> Any:
        done = does(*arguments)
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(transaction, METHODS[step], does_and_dies)


if __name__ == "__main__":
    _, step, survived, *words = sys.argv
    die_after(step, int(survived), PostgresTransaction if words[-1] == "ledger" else KafkaTransaction)
    if words[0] == "exceptions":
        sys.argv[1:] = words[1:]
        exception_worker.main()
    elif words[0] == "counting":
        run(Counting(words[2]), StreamSettings(**json.loads(words[1]) | {"seals": SEALS}), threading.Event())
    else:
        sys.argv[1:] = words
        main()
