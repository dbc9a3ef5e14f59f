from contract.case import Case, record
from examples.counting import Counting


def cases() -> list[Case]:
    return [
        Case(
            name="counting",
            processor=Counting,
            records=[record("counting-in", n, key, b"x") for n, key in enumerate("abacabad")],
            topics=frozenset({"counting-out"}),
            unreadable=[b"bad"],
            state={0: {"a": 7}},
            state_values=[1, 2**40],
        )
    ]
