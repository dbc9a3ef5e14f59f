"""The partition of a key, the same for every compatible client.

Java clients hash keys with murmur2; librdkafka's own default is CRC32. We write with murmur2, and forward a command
that another client wrote to another partition to the one that has its state.
"""

from __future__ import annotations

from confluent_kafka import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner gives a key. `partitions` must be at least 1."""
    return murmur2(key, partitions)
