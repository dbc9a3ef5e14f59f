from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processors.ledger import numbering
from processors.ledger.numbering import LATE_CHAINS, LIFE, LIVES

PARTITIONS = st.integers(0, LIFE - 1)
A_LIFE = st.integers(0, LIVES - 1)


@given(PARTITIONS, A_LIFE, st.integers(1, LATE_CHAINS))
def test_a_number_tells_partition_life_and_whether_it_came_late(partition: int, life: int, nth: int) -> None:
    """No two chains have one number, and every number is one that Postgres takes for an integer."""
    chain = numbering.of_life(partition, life)
    late = numbering.late(chain, nth)

    assert (numbering.partition_of(chain), numbering.life_of(chain)) == (partition, life)
    assert (numbering.partition_of(late), numbering.life_of(late), numbering.on_time(late)) == (
        partition,
        life,
        chain,
    )
    assert numbering.is_late(late)
    assert not numbering.is_late(chain)
    assert -(2**31) <= late < 0 <= chain < 2**31
    assert numbering.late(chain, nth) != numbering.late(chain, nth % LATE_CHAINS + 1)


def test_the_chains_of_a_first_life_have_the_numbers_of_their_partitions() -> None:
    """Ledgers from before lives were counted are as they were."""
    assert [numbering.of_life(partition, 0) for partition in range(3)] == [0, 1, 2]
