"""Kafka, a schema registry and Postgres themselves, as child processes: for demos and tests.

The one place of the project that starts servers. README.md tells the life of a start.
"""

from processors.embedded.stack import Addresses, Stack

__all__ = ["Addresses", "Stack"]
