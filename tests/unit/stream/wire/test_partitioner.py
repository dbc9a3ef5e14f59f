"""Keys belong where Java clients put them."""

import pytest

from processors.stream.wire.partitioner import partition_of


@pytest.mark.parametrize(
    ("key", "partition"),
    [
        ("", 681),
        ("k", 912),
        ("21", 340),
        ("plugin", 118),
        ("inventory-sync", 714),
        ("com.corex.plugin/ähm", 16),
        ("0123456789abcdef", 52),
        ("a0b1c2d3-e4f5-6789-abcd-ef0123456789", 194),
    ],
)
def test_a_key_has_the_partition_that_java_gives_it(key: str, partition: int) -> None:
    """Of 1,000 partitions, as computed by `toPositive(murmur2(key)) % 1000` in kafka-clients 4.4.0."""
    assert partition_of(key.encode(), 1000) == partition
