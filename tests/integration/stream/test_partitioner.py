"""Keys belong where Java clients would put them."""

import os

import pytest
from examples.ground import Ground

from processors.stream.wire.partitioner import partition_of

pytestmark = pytest.mark.stack


def test_our_producer_puts_every_key_where_we_say(ground: Ground) -> None:
    """Keys of all lengths, so that every way through the hash's tail is taken."""
    ground.topics(ground.name, partitions=7)
    ground.write(ground.name, [(os.urandom(length % 40), b"x") for length in range(1, 400)])

    records = ground.read(ground.name)

    assert len(records) == 399
    assert [record.partition for record in records] == [partition_of(record.key or b"", 7) for record in records]
