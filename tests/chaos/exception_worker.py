"""One worker of the exception workflow, to be killed. Arguments: the settings, and the public keys, as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence

import httpx
from examples.exceptions import policy
from examples.hasty import hasty
from examples.sealing import SEALS

from processors.configuration.settings import shipped
from processors.errors import Fatal
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.proof.keys import KeyRing, read_jwks, ring
from processors.stream.loop.loop import run
from processors.stream.settings import StreamSettings
from processors.stream.types import Inbound, Outcome, View
from processors.stream.wire.codec import Codec
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schemas


class Slow(ExceptionWorkflow):
    """Slow enough to be caught at work."""

    def handle(self, batch: Sequence[Inbound], view: View) -> Outcome:
        time.sleep(0.02)
        return super().handle(batch, view)


def main() -> None:
    settings = StreamSettings(**json.loads(sys.argv[1]) | {"seals": SEALS})
    keys: KeyRing = ring(list(read_jwks(sys.argv[2], policy().proof.issuers[0])))
    with httpx.Client(base_url=settings.registry, timeout=10) as client:
        codec = Codec(Schemas.load(shipped("schemas")), SchemaRegistry(client))
        try:
            run(Slow(codec, hasty(), lambda: keys, SEALS), settings, threading.Event())
        except Fatal as error:
            print(f"starting afresh: {error}", file=sys.stderr)
            sys.exit(70)


if __name__ == "__main__":
    main()
