"""Every metric of the guard, once, with its meaning; METRICS.md beside the alert rules is generated from here.

Labels are bounded: never an id, a key, a version or a text from a record. Each label says what bounds it. Counts of
records are made after their transaction has committed, so a record that is handled again counts once.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Literal, NamedTuple

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

import processors

disable_created_metrics()  # it would double the number of series, and nobody uses it

Kind = Literal["counter", "gauge", "histogram"]

MOST_SOURCES = 50
"""The most matrix sources with a series of their own."""


class Metric(NamedTuple):
    """An entry of the catalogue. `labels` maps a label to what bounds its values."""

    name: str
    kind: Kind
    meaning: str
    labels: dict[str, str]

    @property
    def exposed(self) -> str:
        """The name as Prometheus sees it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


CATALOGUE: list[Metric] = []

_PROCESSOR = "name of a processor"
_TOPIC = "declared topics"
_VERDICT = "ALLOW, WARN, BLOCK, ALLOW_BY_EXCEPTION"
_BAND = "NONE, LOW, MEDIUM, HIGH, CRITICAL"
_CODE = "finding codes"
_SOURCE = f"names of matrix sources, at most {MOST_SOURCES} of them"
_TARGET = "targets of config/relay.yaml"
_RECEPTION = "accepted, failed, refused, unauthorized, gone"
_MODE = "ACTIVE, BROKEN, HELD, DISABLED"
_SECONDS_OF_REVIEW = (60, 600, 1800, 3600, 4 * 3600, 8 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 168 * 3600)
_SECONDS_OF_STREAM = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_SECONDS_OF_PHASE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def _counter(name: str, meaning: str, **labels: str) -> Counter:
    CATALOGUE.append(Metric(name, "counter", meaning, labels))
    return Counter(name, meaning, list(labels))


def _gauge(name: str, meaning: str, **labels: str) -> Gauge:
    CATALOGUE.append(Metric(name, "gauge", meaning, labels))
    return Gauge(name, meaning, list(labels))


def _histogram(name: str, meaning: str, buckets: Sequence[float], **labels: str) -> Histogram:
    CATALOGUE.append(Metric(name, "histogram", meaning, labels))
    return Histogram(name, meaning, list(labels), buckets=buckets)


BUILD = _gauge(
    "compat_guard_build_info",
    "1, beside what runs.",
    release="the release that runs",
    python="the Python it runs on",
)
BUILD.labels(processors.__version__, platform.python_version()).set(1)

# What the guard is there for.
CHECKS = _counter(
    "version_compat_check",
    "Requests answered, by verdict and risk band. Re-checks of exceptions are not among them.",
    verdict=_VERDICT,
    band=_BAND,
)
BLOCKS = _counter("version_compat_block", "Requests blocked, by risk band.", band=_BAND)
BLOCK_FINDINGS = _counter(
    "version_compat_block_finding",
    "Findings that blocked, each once a block: which of them drives a spike.",
    code=_CODE,
)
UNGUARDED = _counter(
    "version_compat_unguarded",
    "Requests let pass without a check, because the feature plugin-compat-guard was off. Any is worth an alert.",
)
FEATURE = _gauge(
    "version_compat_feature",
    "1 while a feature of config/guard.yaml is on.",
    processor=_PROCESSOR,
    feature="plugin-compat-guard, plugin-compat-exception",
)
DECISION_SECONDS = _histogram(
    "version_compat_decision_seconds",
    "From the broker's append of a record to the commit of its answer, for the oldest record of each batch: "
    "no record of it waited longer.",
    _SECONDS_OF_STREAM,
    processor=_PROCESSOR,
)

# The exception workflow.
EXCEPTION_REQUESTS = _counter(
    "version_compat_exception_request", "Exceptions asked for: rounds that were opened.", band=_BAND
)
EXCEPTIONS_APPROVED = _counter(
    "version_compat_exception_approved", "Exceptions whose last step was approved, extensions too.", band=_BAND
)
EXCEPTION_EVENTS = _counter(
    "version_compat_exception_event",
    "What happened to exceptions: each change of state, each timer that fired, each refusal.",
    event="events of the workflow",
)
EXCEPTION_REFUSALS = _counter(
    "version_compat_exception_refusal",
    "Commands, decisions and uses refused, by reason. A burst of one that belongs to a proof is an attack or a "
    "broken approval tool.",
    reason="reason codes of the workflow",
)
APPROVAL_SECONDS = _histogram(
    "version_compat_approval_seconds",
    "From the opening of a review to its decision.",
    _SECONDS_OF_REVIEW,
    outcome="approved, rejected, withdrawn, lapsed",
)
EXCEPTIONS = _gauge(
    "version_compat_exceptions", "Exceptions held by this process, by state.", status="states of an exception"
)
SLA_LEFT = _gauge(
    "version_compat_approval_sla_left_seconds",
    "Seconds until the most urgent open review is over its total SLA; negative once it is. Absent without one.",
    band=_BAND,
)
STEP_SLA_LEFT = _gauge(
    "version_compat_approval_step_left_seconds",
    "The same for the SLA of the step that waits for approvals.",
    band=_BAND,
)
SLA_BREACHES = _counter("version_compat_approval_sla_breach", "SLAs that ran out.", clock="step, total")
MONITORING_MISSING = _counter(
    "version_compat_monitoring_missing",
    "Installations by exception that were reported without the monitoring that was a condition, or lost it.",
)
UNMONITORED = _gauge(
    "version_compat_exceptions_unmonitored",
    "Exceptions that wait for review because their monitoring is missing or was lost.",
    band=_BAND,
)

# The matrix.
STALENESS_HOURS = _gauge(
    "version_compat_matrix_staleness_hours", "Hours since a source was issued.", source=_SOURCE
)
LAST_REFRESH = _gauge(
    "version_compat_matrix_last_refresh_timestamp_seconds",
    "When the revision in effect was issued, in seconds since the epoch; grows old by itself if its exporter dies.",
    source=_SOURCE,
)
EXPIRES = _gauge(
    "version_compat_matrix_expires_timestamp_seconds",
    "When a source expires: from then on every check that rests on it blocks.",
    source=_SOURCE,
)
WARNS = _gauge(
    "version_compat_matrix_warns_timestamp_seconds",
    "When a source has used up the share of its allowed age at which config/guard.yaml has it warned of.",
    source=_SOURCE,
)
SOURCES = _gauge(
    "version_compat_matrix_sources",
    "Sources by status; MISSING is 1 if no source has ever published.",
    level="FRESH, AGEING, EXPIRED, AHEAD, MISSING",
)
REFRESHES = _counter(
    "version_compat_matrix_refresh",
    "Refreshes received, counted by their first part; the timestamps show whether one is in effect.",
    source=_SOURCE,
)
REFRESH_INTERVAL = _gauge(
    "version_compat_matrix_refresh_interval_seconds",
    "The usual time between two refreshes of a source: the median of the last ten.",
    source=_SOURCE,
)
REFRESH_GAP = _gauge(
    "version_compat_matrix_refresh_gap",
    "1 while a source has been silent for more than twice its usual interval: its pipeline may be broken long "
    "before it expires.",
    source=_SOURCE,
)
STALENESS_NOTICES = _counter(
    "version_compat_matrix_notice",
    "Changes of status that people were notified of.",
    level="FRESH, AGEING, EXPIRED, AHEAD, MISSING, WITHDRAWN",
)

# The stream.
RECORDS_IN = _counter(
    "compat_stream_records_in", "Records handled and committed.", processor=_PROCESSOR, topic=_TOPIC
)
RECORDS_OUT = _counter(
    "compat_stream_records_out",
    "Records written and committed: answers, changelog and dead letters.",
    processor=_PROCESSOR,
    topic=_TOPIC,
)
REJECTS = _counter(
    "compat_stream_rejects",
    "Records that became dead letters. `internal` means that our own code failed: look at the release, not at the "
    "data.",
    processor=_PROCESSOR,
    reason="reasons of the tree of errors",
)
TRANSACTIONS = _counter(
    "compat_stream_transactions",
    "Transactions by end. Aborted ones around a rebalance are normal; a steady rate of them is not.",
    processor=_PROCESSOR,
    end="committed, aborted",
)
PHASE_SECONDS = _histogram(
    "compat_stream_phase_seconds",
    "Seconds of one batch in each phase; their ratio says what to tune. A poll ends with the first records.",
    _SECONDS_OF_PHASE,
    processor=_PROCESSOR,
    phase="poll, handle, commit",
)
CLOCK_SKEW = _gauge(
    "compat_stream_clock_skew_seconds",
    "By how much the clock of the process is ahead of the broker's; negative while it is behind. Beyond 30 seconds "
    "timers stop.",
    processor=_PROCESSOR,
)
LAG = _gauge(
    "compat_stream_lag_records",
    "Records that wait on the owned partitions of a topic, as the broker last reported. Markers of "
    "transactions do not count.",
    processor=_PROCESSOR,
    topic=_TOPIC,
)
BEAT = _gauge(
    "compat_stream_beat_timestamp_seconds",
    "When the loop last completed a round. Old means stuck, whatever the traffic.",
    processor=_PROCESSOR,
)
WAITING = _gauge(
    "compat_stream_waiting",
    "1 while the loop waits for something that is down.",
    processor=_PROCESSOR,
    on="kinds of Unavailable in the tree of errors",
)
UNAVAILABLE = _counter(
    "compat_stream_unavailable",
    "Batches and takeovers postponed because something was down. For the ledger on DatabaseUnavailable: audit "
    "writes that failed and are tried again.",
    processor=_PROCESSOR,
    on="kinds of Unavailable in the tree of errors",
)
PARTITIONS = _gauge(
    "compat_stream_partitions",
    "Input partitions owned. The sum over the replicas is the topics' count, or a replica is missing.",
    processor=_PROCESSOR,
)
STATE_KEYS = _gauge(
    "compat_stream_state_keys",
    "Keys of state held. Grows with live exceptions, not with traffic.",
    processor=_PROCESSOR,
)
RESTORE_SECONDS = _gauge(
    "compat_stream_restore_seconds",
    "Seconds that the last restore of state took: how long a takeover keeps its partitions waiting.",
    processor=_PROCESSOR,
)
TABLE_REVISION = _gauge(
    "compat_stream_table_revision",
    "How often a table's snapshot changed since the process started.",
    processor=_PROCESSOR,
    topic=_TOPIC,
)
TABLE_REJECTS = _counter(
    "compat_stream_table_rejects",
    "Records that a table refused while its last good snapshot stayed in use.",
    processor=_PROCESSOR,
    topic=_TOPIC,
    reason="reasons of the tree of errors",
)

# The ledger.
LEDGER_ROWS = _counter("compat_ledger_rows", "Rows committed to the ledger.", topic=_TOPIC)
LEDGER_COMMITTED = _gauge(
    "compat_ledger_last_commit_timestamp_seconds",
    "When the ledger's chains last grew, that of the anchors aside, in seconds since the epoch.",
)
LEDGER_DUPLICATES = _counter(
    "compat_ledger_duplicates",
    "Records dropped because the ledger holds their event already. Retries make some; a steady rate is a sender "
    "that does not know its own acknowledgements.",
    topic=_TOPIC,
)
LEDGER_QUARANTINED = _counter(
    "compat_ledger_quarantined",
    "Rows that need attention, by reason. id_conflict: one request id, two contents.",
    topic=_TOPIC,
    status="statuses of a row",
)
LEDGER_FENCED = _counter(
    "compat_ledger_fenced",
    "Times that a chain was not where this process had left it: two sinks had one partition.",
)
LEDGER_CHANGED = _gauge(
    "compat_ledger_topic_changed",
    "1 if a topic was created again, or is on another cluster, and waits to be taken up; else 0.",
    topic=_TOPIC,
)
LEDGER_DIFFERENCES = _gauge(
    "compat_ledger_differences",
    "Differences between topic and ledger at the first place where the sink itself has found one.",
    topic=_TOPIC,
    kind="kinds of `ledger reconcile`",
)
LEDGER_COMPARED = _gauge(
    "compat_ledger_last_comparison_timestamp_seconds",
    "When the sink has last compared by itself what it filed with the topics, or began to; 0 where it does not.",
)
LEDGER_ANCHORS = _counter("compat_ledger_anchors", "Signed chain heads published.")
LEDGER_ANCHORED = _gauge(
    "compat_ledger_last_anchor_timestamp_seconds", "When chain heads were last published; 0 if never."
)

# The relay.
RELAY_ATTEMPTS = _counter(
    "compat_relay_attempts", "Delivery attempts that have ended.", target=_TARGET, reception=_RECEPTION
)
RELAY_ATTEMPT_SECONDS = _histogram(
    "compat_relay_attempt_seconds", "How long an attempt took.", _SECONDS_OF_STREAM, target=_TARGET
)
RELAY_SECONDS = _histogram(
    "compat_relay_delivery_seconds",
    "From the broker's time of an event to its acceptance by the target.",
    _SECONDS_OF_STREAM,
    target=_TARGET,
)
RELAY_PENDING = _gauge("compat_relay_pending", "Deliveries that wait or are being attempted.", target=_TARGET)
RELAY_OLDEST = _gauge(
    "compat_relay_oldest_timestamp_seconds",
    "Broker time of the oldest event that is not delivered, in seconds since the epoch; 0 if there is none.",
    target=_TARGET,
    pace="urgent, ordinary",
)
RELAY_DEAD = _counter("compat_relay_dead", "Deliveries given up; they are in the dead letters.", target=_TARGET)
RELAY_TARGET = _gauge(
    "compat_relay_target", "1 for the present status of the target, 0 for the others.", target=_TARGET, mode=_MODE
)

GATEWAY_REQUESTS = _counter(
    "compat_gateway_requests",
    "Requests that were answered.",
    operation="operations of deploy/gateway/openapi.yaml, console, other",
    status="HTTP status codes",
)
GATEWAY_SECONDS = _histogram(
    "compat_gateway_request_seconds",
    "From the head of a request to the end of its answer; a check waits for its verdict. Streams are left out.",
    _SECONDS_OF_STREAM,
    operation="operations of deploy/gateway/openapi.yaml, console, other",
)
GATEWAY_WAITING = _gauge("compat_gateway_waiting", "Requests that wait for an answer of the guard.")
GATEWAY_STREAMS = _gauge("compat_gateway_streams", "Streams of results that are open.")
GATEWAY_LAG = _histogram(
    "compat_gateway_loop_lag_seconds",
    "How much later than scheduled the event loop ran.",
    _SECONDS_OF_PHASE,
)

SECURITY_CONTEXT_ASKED = _counter(
    "compat_security_context_requests",
    "Requests for security policies by result.",
    outcome="taken, held, refused, failed",
)
SECURITY_CONTEXT_POLICIES = _counter(
    "compat_security_context_policies",
    "Results of replies by component; foreign are components that were not asked about.",
    what="changed, confirmed, withdrawn, foreign, left_alone",
)
SECURITY_CONTEXT_HELD = _gauge(
    "compat_security_context_held", "Requests whose last reply is too incomplete to take effect."
)
SECURITY_CONTEXT_ROUND = _gauge(
    "compat_security_context_last_round_timestamp_seconds",
    "When every component had been asked about and every reply taken, in seconds since the epoch; 0 on a replica "
    "that does not ask.",
)
SECURITY_CONTEXT_EXPIRY = _gauge(
    "compat_security_context_expiry_timestamp_seconds",
    "When the first policy of the security context expires, in seconds since the epoch; 0 if there is none.",
)


def page() -> str:
    """The catalogue as METRICS.md has it."""
    rows = [
        f"| `{metric.exposed}` | {metric.kind} | {_labels(metric)} | {metric.meaning} |"
        for metric in sorted(CATALOGUE, key=lambda metric: metric.name)
    ]
    return "\n".join([_HEAD, *rows, ""])


_HEAD = """\
# Metrics

Generated by `python -m processors.observability.metrics`. Every process serves
its metrics under `/metrics` of its health port. The table says what bounds the values of each label;
no label contains an id or a text from a record. A histogram has the series `_bucket`, `_count` and `_sum`.

| metric | kind | labels | meaning |
|---|---|---|---|"""


def _labels(metric: Metric) -> str:
    return "; ".join(f"`{label}`: {bound}" for label, bound in metric.labels.items())


if __name__ == "__main__":
    print(page(), end="")
