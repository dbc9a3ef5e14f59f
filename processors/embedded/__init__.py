"""Runs Kafka, a schema registry and Postgres as child processes: for demos and tests.

Only this package starts servers. README.md describes how.
"""

from processors.embedded.stack import Addresses, Stack

__all__ = ["Addresses", "Stack"]
