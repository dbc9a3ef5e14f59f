from __future__ import annotations

from collections.abc import Iterator

import pytest
from examples.gateways import Edge, Provider, Replica

from processors.embedded import Addresses


@pytest.fixture(scope="module")
def edge(guarded: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The shipped matrix, a checker that runs, and an identity provider."""
    folder = tmp_path_factory.mktemp("edge")
    with Provider(folder) as provider:
        edge = Edge(guarded, folder, provider)
        done = edge.run("matrix", "publish", "config/compat_matrix.yaml")
        assert done.returncode == 0, done.stderr
        with edge.processor("checker") as edge.checker:
            yield edge


@pytest.fixture(scope="module")
def gateway(edge: Edge) -> Iterator[Replica]:
    with edge.gateways() as (replica,):
        yield replica
