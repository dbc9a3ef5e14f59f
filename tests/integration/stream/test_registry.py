"""Looking schemas up in the real registry."""

from collections.abc import Iterator

import httpx
import pytest
from examples.ground import Ground

from processors.embedded import Addresses
from processors.errors import ContractBroken, EventUnreadable
from processors.stream.admin.subjects import Subjects
from processors.stream.wire.codec import Codec, subject_of
from processors.stream.wire.registry import SchemaRegistry
from processors.stream.wire.schema import Schema, Schemas

pytestmark = pytest.mark.stack

TEXT = '{"type": "record", "name": "Word", "fields": [{"name": "word", "type": "string"}]}'
WORD = Schemas({"Word": Schema.read(TEXT)})


@pytest.fixture
def client(stack: Addresses) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.registry, timeout=30) as client:
        yield client


def test_what_is_registered_is_found_by_both_sides(ground: Ground, client: httpx.Client) -> None:
    """Writer and reader meet in the registry, each looking up on its own."""
    Subjects(client).register(subject_of(ground.name), TEXT)

    value = Codec(WORD, SchemaRegistry(client)).encoder(ground.name, "Word")({"word": "hello"})

    assert Codec(WORD, SchemaRegistry(client)).decoder(ground.name, "Word")(value) == {"word": "hello"}


def test_nothing_is_registered_on_the_fly(ground: Ground, client: httpx.Client) -> None:
    """A writer without its schema in the registry is told how to get it there, and leaves no subject behind."""
    with pytest.raises(ContractBroken, match="topics apply"):
        Codec(WORD, SchemaRegistry(client)).encoder(ground.name, "Word")({"word": "hello"})

    assert Subjects(client).read(subject_of(ground.name), TEXT).versions == ()


def test_an_id_of_another_subject_is_not_believed(ground: Ground, client: httpx.Client) -> None:
    """The registry knows the id, but not for this topic."""
    other = f"{ground.name}-other"
    Subjects(client).register(subject_of(other), TEXT.replace("Word", f"W{ground.name}"))
    theirs = Schemas({"Word": Schema.read(TEXT.replace("Word", f"W{ground.name}"))})
    value = Codec(theirs, SchemaRegistry(client)).encoder(other, "Word")({"word": "hello"})

    with pytest.raises(EventUnreadable, match="not registered") as refused:
        Codec(WORD, SchemaRegistry(client)).decoder(ground.name, "Word")(value)

    assert refused.value.stage == "schema"


def test_an_unknown_id_is_refused(ground: Ground, client: httpx.Client) -> None:
    """Asked once, and then not again for a while."""
    decode = Codec(WORD, SchemaRegistry(client)).decoder(ground.name, "Word")
    for _ in range(2):
        with pytest.raises(EventUnreadable, match="not registered"):
            decode(b"\0\x7f\xff\xff\xff\2a")
