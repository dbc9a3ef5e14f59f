from collections.abc import Iterator

import pytest
from examples.checkers import Answers, Desk, a_crew, a_request
from examples.guard import Guard, now
from examples.matrices import a_document, a_rule

from processors.client.matrix_topic import publish_matrix
from processors.embedded import Addresses

MATRIX = a_document(a_rule("com.acme.*", "allow"), source="governance")


@pytest.fixture(scope="module")
def untaught(guarded: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Answers]]:
    """A checker that runs, and what it answered before there was any matrix."""
    guard = Guard(guarded)
    desk = Desk(guard)
    with a_crew(guarded, tmp_path_factory.mktemp("checker") / "log") as crew:
        crew.tend(1)
        yield desk, desk.ask(a_request())
        crew.tend(0)  # fails if it does not end in good order
    assert crew.deaths == [], crew.log_tail()
    desk.close()
    guard.close()


@pytest.fixture(scope="module")
def desk(untaught: tuple[Desk, Answers]) -> Desk:
    """The same checker, with a matrix that allows what is Acme's."""
    desk, _ = untaught
    publish_matrix(desk.guard.of, MATRIX, now())
    return desk
