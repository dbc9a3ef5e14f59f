"""Where topics begin and end, for those who read them without a group."""

from contextlib import closing

import pytest
from examples.ground import Ground

from processors.stream.io.follow import Follower

pytestmark = pytest.mark.stack


def test_the_end_of_a_topic_is_told_as_soon_as_the_topic_is_seen(ground: Ground) -> None:
    """A broker shows itself as the leader of new partitions a moment before it leads them."""
    names = [f"{ground.name}-{number}" for number in range(12)]
    ground.topics(*names, partitions=6)
    with closing(Follower(ground.settings, "test")) as follower:
        assert all(set(follower.ends(name).values()) == {0} for name in reversed(names))
