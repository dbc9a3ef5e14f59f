"""Which partition a key belongs to, the same for every client that wants to be understood.

Java clients hash keys with murmur2, librdkafka's own default is CRC32. We write with murmur2, and move a command
that another client put elsewhere to where its state is.
"""

from __future__ import annotations

from confluent_kafka import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner gives a key. `partitions` must be at least 1."""
    return murmur2(key, partitions)
