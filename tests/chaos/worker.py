"""One worker of the counting processor, to be killed. Arguments: the settings as JSON, and the processor's name."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Sequence

from examples.counting import Counting
from examples.sealing import SEALS

from processors.errors import Fatal, TransactionAborted
from processors.stream.loop.loop import run
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound, Outcome, View


class Nervous(Counting):
    """Gives up in the middle of every fiftieth batch, and is slow enough to be caught at work."""

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        outcome = super().handle(batch, view)
        time.sleep(0.02)
        if random.random() < 0.02:
            raise TransactionAborted("nervous")
        return outcome


if __name__ == "__main__":
    try:
        run(Nervous(sys.argv[2]), StreamSettings(**json.loads(sys.argv[1]) | {"seals": SEALS}), threading.Event())
    except Fatal as error:
        print(f"starting afresh: {error}", file=sys.stderr)
        sys.exit(70)
