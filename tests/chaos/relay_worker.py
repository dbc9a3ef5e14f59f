"""One relay, to be killed. Arguments: broker, registry, and the folder of its configuration."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from processors.bootstrap.relay import run_relay
from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.errors import Fatal

if __name__ == "__main__":
    bootstrap, registry, folder = sys.argv[1:]
    of = Settings(
        kafka=KafkaSettings(bootstrap=bootstrap), registry=RegistrySettings(url=registry), config=Path(folder)
    )
    try:
        run_relay(of, threading.Event())
    except Fatal as error:
        print(f"starting afresh: {error}", file=sys.stderr)
        sys.exit(70)
