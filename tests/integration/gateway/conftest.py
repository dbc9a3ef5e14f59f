from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from examples.approvals import issuers_of_proofs
from examples.gateways import Edge, Provider, Replica

from processors.embedded import Addresses


@pytest.fixture(scope="module")
def edge(guarded: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A copy of the sample matrix, a checker that runs, and an identity provider."""
    folder = tmp_path_factory.mktemp("edge")
    with Provider(folder) as provider:
        edge = Edge(guarded, folder, provider)
        done = edge.run("matrix", "publish", shutil.copy("config/compat_matrix.yaml", folder))
        assert done.returncode == 0, done.stderr
        with edge.processor("checker") as edge.checker:
            yield edge


@pytest.fixture(scope="module")
def audited(edge: Edge) -> Iterator[Edge]:
    """The ledger runs too."""
    edge.environment |= {
        "GUARD_LEDGER__KEYS": str(edge.folder / "ledger-keys.json"),
        "GUARD_LEDGER__ANCHOR_EVERY": "3",  # a proof needs an anchor
    }
    for words in (("ledger", "migrate"), ("ledger", "keys")):
        done = edge.run(*words)
        assert done.returncode == 0, done.stderr
    with edge.processor("ledger"):
        yield edge


@pytest.fixture(scope="module")
def gateway(edge: Edge) -> Iterator[Replica]:
    with edge.gateways() as (replica,):
        yield replica


@pytest.fixture(scope="module")
def platform(edge: Edge) -> Iterator[Replica]:
    """A gateway beside a workflow that trusts its signatures."""
    issuers_of_proofs(edge)
    with edge.processor("exception-workflow"), edge.gateways() as (replica,):
        yield replica
