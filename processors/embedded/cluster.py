"""Several Kafka nodes as one cluster, for tests that a single broker does not allow: failover of leaders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from processors.embedded.archive import java_options
from processors.embedded.artifacts import KAFKA
from processors.embedded.cache import installed
from processors.embedded.formatting import new_id
from processors.embedded.kafka import ClusterOf, Node, kafka
from processors.embedded.part import Part, start_together
from processors.embedded.ports import HOST, free_port
from processors.embedded.progress import Silent


class Cluster:
    """Nodes that are broker and controller each, with all that they keep in one folder of their own.

    Topics that are made with a replica on each node outlive the loss of any one of three. The nodes live until
    `stop`, at the longest until this process is gone. Use as a context manager.
    """

    def __init__(self, data: Path, nodes: int = 3) -> None:
        self._spawner = ThreadPoolExecutor(1, "spawner")  # one thread for its whole life: see leash.py
        self.nodes = [Node(number, free_port(), free_port()) for number in range(1, nodes + 1)]
        cluster, home = ClusterOf(self.nodes, new_id()), installed(KAFKA, Silent())
        self.brokers = tuple(
            Part(
                kafka(home, data / f"kafka-{node.number}", node, cluster, archive=java_options(KAFKA)),
                data / "logs" / f"kafka-{node.number}.log",
                self._spawner,
                lambda: None,
            )
            for node in self.nodes
        )

    @property
    def bootstrap(self) -> str:
        """Kafka's `bootstrap.servers`."""
        return ",".join(f"{HOST}:{node.kafka}" for node in self.nodes)

    def broker(self, number: int) -> Part:
        return self.brokers[number - 1]

    def start(self) -> None:
        """Returns when all nodes serve. Raises StackPartFailed for the first that does not start."""
        try:
            start_together(self.brokers)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        with ThreadPoolExecutor(len(self.brokers)) as pool:
            list(pool.map(Part.stop, self.brokers))
        self._spawner.shutdown()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
