"""Creates every Kafka client, and is the only place with their configuration keys.

All consumers are read_committed, even those of topics without transactions: otherwise a new owner of a partition
would read records again whose offsets are in the previous owner's open transaction.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import warnings
from collections.abc import Collection, Sequence
from typing import Any, Final, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from processors.errors import BrokerUnavailable, SettingsInvalid
from processors.stream.denials import denied
from processors.stream.io.heard import HearingConsumer
from processors.stream.settings import StreamSettings

LARGEST_REQUEST = 4 * 1024 * 1024
"""The largest batch that our producers send, in bytes. The codec limits single values to much less."""

_CALM: Final = {"fetch.wait.max.ms": 500}
"""For who follows. A broker keeps a question for records so long while there are none, and answers with a record at
once. Whatever else the client asks this broker, the end of a partition, and a partition that is added wait for it.
With a tenth of a second, such questions were most of the processor time of an idle installation."""

_BRIEF: Final = {"fetch.wait.max.ms": 10}
"""For who reads to the end, and stops there."""

CLOSES_WITHIN: Final = 4.0
"""Seconds that one client may take to close. The three of a loop together stay below `health.CLOSING`."""

_log = logging.getLogger("librdkafka")


def group_consumer(
    settings: StreamSettings, group: str, *, copartitioned: bool, calm: bool = False
) -> HearingConsumer:
    """A group member that never commits automatically and never guesses an offset.

    The loop manages positions: it assigns explicit offsets, and an offset outside the log is an error and not a
    jump. `copartitioned` selects an assignor that gives partition n of every topic to the same member. It also
    makes the consumer report the end of a partition, as an error, each time it reaches one; a
    `calm` one does so up to half a second later, and asks an idle broker less often.
    """
    membership = _membership(settings, copartitioned=copartitioned)
    return _consumer(settings, group, **membership, **{"enable.partition.eof": True}, **(_CALM if calm else {}))


def reader(settings: StreamSettings, name: str, *, brief: bool = False) -> HearingConsumer:
    """A consumer without a group, for assigned partitions that are read to their end: tables and changelogs.

    A `brief` one is closed there: it learns of the end a tenth of a second sooner, and asks the broker more often.
    """
    return _consumer(settings, f"{name}-reader", **{"enable.partition.eof": True}, **(_BRIEF if brief else {}))


def following_reader(settings: StreamSettings, name: str) -> HearingConsumer:
    """The same for who has read to the end and follows for long. It reports no end; ask it for records only."""
    return _consumer(settings, f"{name}-reader", **_CALM)


def transactional_producer(settings: StreamSettings, transactional_id: str) -> Producer:
    timeout = int(settings.transaction_timeout * 1000)
    return _producer(settings, **{"transactional.id": transactional_id, "transaction.timeout.ms": timeout})


def plain_producer(settings: StreamSettings) -> Producer:
    """An idempotent producer without transactions, for commands."""
    return _producer(settings)


def prompt_producer(settings: StreamSettings, deadline: float) -> Producer:
    """The same for interactive use: it sends at once, and gives a record up after `deadline` seconds."""
    return _producer(settings, **{"linger.ms": 0, "message.timeout.ms": int(deadline * 1000)})


def admin(settings: StreamSettings) -> AdminClient:
    return AdminClient(_common(settings), logger=_log)


def partition_count(client: Consumer | Producer | AdminClient, topic: str, timeout: float = 10.0) -> int:
    """How many partitions a topic has.

    Raises:
        SettingsInvalid: there is no such topic; AccessDenied if we may not see it.
        BrokerUnavailable: no broker answered.
    """
    try:
        found = client.list_topics(topic, timeout=timeout).topics[topic]
    except KafkaException as error:
        why = error.args[0].str()
        raise BrokerUnavailable(
            f"no broker has answered for {timeout:g} s, asked about topic `{topic}`: {why}"
        ) from error
    if found.error is not None and (refusal := denied(found.error, topic, "DESCRIBE")):
        raise refusal
    if found.error is not None or not found.partitions:
        raise SettingsInvalid(f"topic `{topic}` does not exist; create it with `compat-guard topics apply`")
    return len(found.partitions)


def ends(client: AdminClient, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The end of each log, including records of open transactions. Raises KafkaException."""
    return _offsets(client, partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)


def bounds(client: AdminClient, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
    """The first offset of each log that still exists, and the one after the last committed record. Raises
    KafkaException.

    A group's consumer could answer that for one partition at a time, each behind a pending question for records.
    """
    first = _offsets(client, partitions, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED)
    last = _offsets(client, partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
    return {at: (first[at], last[at]) for at in partitions}


def _offsets(
    client: AdminClient, partitions: Collection[tuple[str, int]], which: Any, isolation: IsolationLevel
) -> dict[tuple[str, int], int]:
    ask = cast(Any, client).list_offsets  # its futures are untyped
    asked = ask({TopicPartition(*at): which for at in partitions}, isolation_level=isolation, request_timeout=5.0)
    return {(at.topic, at.partition): found.result().offset for at, found in asked.items()}


def refuse_plaintext(bootstrap: str, security: dict[str, str] | None = None) -> None:
    """Raise SettingsInvalid if records or passwords would cross a network unencrypted."""
    protocol = (security or {}).get("security.protocol", "PLAINTEXT").upper()
    far = beyond_loopback(bootstrap)
    if far is not None and protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        raise SettingsInvalid(
            f"security.protocol {protocol} to `{far}` would send everything unencrypted; "
            "set SSL or SASL_SSL, or allow plaintext explicitly"
        )


def beyond_loopback(bootstrap: str) -> str | None:
    """The first broker that is not on this machine; None if all are. Raises SettingsInvalid if there is none."""
    return next((host for host in _hosts(bootstrap) if not is_loopback(host)), None)


def _hosts(bootstrap: str) -> Sequence[str]:
    addresses = [part.strip().rsplit("://", 1)[-1] for part in bootstrap.split(",") if part.strip()]
    if not addresses:
        raise SettingsInvalid("no broker address given; set the bootstrap servers, such as `broker:9093`")
    return [address.rpartition(":")[0].strip("[]") or address for address in addresses]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    A name other than `localhost` is not resolved and counts as another machine.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _common(settings: StreamSettings) -> dict[str, Any]:
    if not settings.allow_plaintext:
        refuse_plaintext(settings.bootstrap, dict(settings.security))
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "compat-guard",
        "retry.backoff.ms": 20,  # the default of 100 is most of a transaction's time
        "reconnect.backoff.max.ms": 2000,
        # A broker that stops answering is abandoned within seconds. With the defaults (60 s and 30 s),
        # a call hung for 165 s, long after the network was back.
        "socket.timeout.ms": 6000,
        "socket.connection.setup.timeout.ms": 4000,
        # Rebootstrapping, the default, replaces the known brokers when all of them are away; in librdkafka 2.16 an
        # open transaction then waits for ever for a coordinator that is gone.
        "metadata.recovery.strategy": "none",
        "topic.metadata.refresh.interval.ms": 60_000,
        **settings.security,
    }


def _consumer(settings: StreamSettings, group: str, **more: Any) -> HearingConsumer:
    keys = {
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 100,
        "queued.min.messages": 20_000,
        "fetch.queue.backoff.ms": 20,  # a full queue sleeps for a second by default: four fifths of the throughput
        "fetch.message.max.bytes": LARGEST_REQUEST,
    }
    return HearingConsumer(_common(settings) | keys | more, logger=_log)


def _membership(settings: StreamSettings, *, copartitioned: bool) -> dict[str, Any]:
    if settings.protocol == "consumer":
        assignor = {"group.remote.assignor": "range"} if copartitioned else {}
        return {"group.protocol": "consumer", **assignor}  # the broker sets its session timeout
    return {
        "group.protocol": "classic",
        "partition.assignment.strategy": "range"
        if is_eager(settings, copartitioned=copartitioned)
        else "cooperative-sticky",
        "session.timeout.ms": 10_000,
    }


def close(client: Consumer | Producer, patience: float = CLOSES_WITHIN) -> None:
    """Close a client. Its errors must not hide the reason why the process ends.

    A client that has not closed after `patience` seconds is abandoned until the process ends: librdkafka waits
    without a deadline for the coordinator of a transaction that it aborts.
    """
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        closing = threading.Thread(target=_close, args=(client,), name="closing", daemon=True)
        closing.start()
        closing.join(patience)
    if closing.is_alive():
        _log.warning("a client has not closed within %g s, and is left behind", patience)
    for complaint in complaints:
        _log.warning("a client did not close in good order: %s", complaint.message)


def _close(client: Consumer | Producer) -> None:
    try:
        client.close()
    except (KafkaException, RuntimeError) as error:
        _log.warning("a client did not close in good order: %s", error)


def is_eager(settings: StreamSettings, *, copartitioned: bool) -> bool:
    """Whether a rebalance revokes all partitions and assigns them again, rather than only the changed ones."""
    return settings.protocol == "classic" and copartitioned


def _producer(settings: StreamSettings, **more: Any) -> Producer:
    keys = {
        "enable.idempotence": True,
        "partitioner": "murmur2_random",  # as Java clients do; librdkafka's own default is CRC32
        "message.max.bytes": LARGEST_REQUEST,
        "queue.buffering.max.messages": 1_000_000,
        "linger.ms": 5,
        "compression.type": "lz4",  # in its own thread; half the bytes for the broker to keep, copy and send
    }
    return Producer(_common(settings) | keys | more, logger=_log)
