"""What the dashboards show: each panel once, as data. Grafana's JSON and Prometheus' consoles are made from it.

A panel answers one question of somebody on call, and its description says what a bad answer looks like. `$window`
in an expression is the window of its rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["short", "reqps", "percentunit", "s", "h", "bool"]


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` names labels in square brackets: `[source]`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`width` is of 24 columns. From `warn` on a value is yellow, from `bad` on red; `low_is_bad`: below."""

    title: str
    description: str
    unit: Unit
    queries: Sequence[Query]
    kind: Literal["stat", "graph"] = "graph"
    width: int = 12
    warn: float | None = None
    bad: float | None = None
    low_is_bad: bool = False
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    rows: Sequence[Row]


def _stat(title: str, description: str, unit: Unit, expr: str, **more: float | bool | None) -> Panel:
    return Panel(
        title=title,
        description=description,
        unit=unit,
        queries=[Query(expr)],
        kind="stat",
        width=4,
        **more,  # type: ignore[arg-type]
    )


def _quantile(q: float, metric: str, by: str, matching: str = "") -> str:
    return f"histogram_quantile({q}, sum by (le{by}) (rate({metric}_bucket{matching}[$window])))"


GUARD = Dashboard(
    "compat-guard",
    "Compatibility Guard",
    [
        Row(
            "Now",
            [
                _stat(
                    "Requests",
                    "Answered a second. Zero in office hours means that nobody gets a verdict.",
                    "reqps",
                    "sum(rate(version_compat_check_total[$window]))",
                ),
                _stat(
                    "Blocked",
                    "Share of all requests. Compare with its usual level below.",
                    "percentunit",
                    "sum(rate(version_compat_block_total[$window])) "
                    "/ (sum(rate(version_compat_check_total[$window])) > 0) or vector(0)",
                ),
                _stat(
                    "Verdict after (p99)",
                    "From the broker's append to the commit of the answer.",
                    "s",
                    _quantile(0.99, "version_compat_decision_seconds", "", '{processor="checker"}'),
                    warn=2,
                    bad=5,
                ),
                _stat(
                    "First source expires in",
                    "Below zero every check that rests on it blocks.",
                    "h",
                    "(min(max by (source) (version_compat_matrix_expires_timestamp_seconds)) - time()) / 3600",
                    warn=4,
                    bad=0,
                    low_is_bad=True,
                ),
                _stat(
                    "Unchecked",
                    "Requests let pass in the last day while the guard was off.",
                    "short",
                    "round(sum(increase(version_compat_unguarded_total[1d])))",
                    bad=1,
                ),
                _stat(
                    "Dead letters",
                    "Records of the last hour that could not be processed.",
                    "short",
                    "round(sum(increase(compat_stream_rejects_total[1h]))) or vector(0)",
                    warn=1,
                    bad=100,
                ),
            ],
        ),
        Row(
            "Checks",
            [
                Panel(
                    title="Requests by verdict",
                    description="A BLOCK that grows while ALLOW shrinks is a spike; all shrinking is an outage.",
                    unit="reqps",
                    stacked=True,
                    queries=[Query("sum by (verdict) (rate(version_compat_check_total[$window]))", "[verdict]")],
                ),
                Panel(
                    title="Share of blocks, and its usual level",
                    description="The alert BlockRateSpike compares these two.",
                    unit="percentunit",
                    queries=[
                        Query("compat:block_ratio:rate5m", "now"),
                        Query(
                            "compat:block_ratio:usual or avg_over_time(compat:block_ratio:rate5m[1d])",
                            "usual",
                        ),
                    ],
                ),
                Panel(
                    title="Why requests are blocked",
                    description="Findings that blocked, by code. One code alone points at one cause.",
                    unit="reqps",
                    stacked=True,
                    queries=[
                        Query(
                            "topk(8, sum by (code) (rate(version_compat_block_finding_total[$window])) > 0)",
                            "[code]",
                        )
                    ],
                ),
                Panel(
                    title="How long a verdict takes",
                    description="The oldest record of each batch, so the worst of it.",
                    unit="s",
                    queries=[
                        Query(_quantile(q, "version_compat_decision_seconds", "", '{processor="checker"}'), name)
                        for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                    ],
                ),
            ],
        ),
        Row(
            "Matrix",
            [
                Panel(
                    title="Age by source",
                    description="Saw teeth are healthy: each tooth is a refresh. A line that only climbs has none.",
                    unit="h",
                    queries=[Query("max by (source) (version_compat_matrix_staleness_hours)", "[source]")],
                ),
                Panel(
                    title="Hours until a source expires",
                    description="From zero on, every check that rests on it is a block with MATRIX_EXPIRED.",
                    unit="h",
                    warn=4,
                    bad=0,
                    low_is_bad=True,
                    queries=[
                        Query(
                            "(max by (source) (version_compat_matrix_expires_timestamp_seconds) - time()) / 3600",
                            "[source]",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Stream",
            [
                Panel(
                    title="Records that wait",
                    description="Per processor and topic. What only grows has nobody who reads it.",
                    unit="short",
                    queries=[
                        Query(
                            "topk(10, sum by (processor, topic) (compat_stream_lag_records))", "[processor] [topic]"
                        )
                    ],
                ),
                Panel(
                    title="Where a batch spends its time (p95)",
                    description="A long commit is the broker, a long handle our own work.",
                    unit="s",
                    queries=[
                        Query(
                            _quantile(0.95, "compat_stream_phase_seconds", ", processor, phase", '{phase!="poll"}'),
                            "[processor] [phase]",
                        )
                    ],
                ),
                Panel(
                    title="Dead letters",
                    description="Those called internal are our own fault; all else is in the data.",
                    unit="reqps",
                    queries=[
                        Query(
                            "sum by (processor, reason) (rate(compat_stream_rejects_total[$window]))",
                            "[processor] [reason]",
                        )
                    ],
                ),
                Panel(
                    title="Processors that came round in the last minute",
                    description="Each should be at the number of its replicas; less is one gone or stuck.",
                    unit="short",
                    queries=[
                        Query(
                            "count by (processor) (time() - compat_stream_beat_timestamp_seconds < 60)",
                            "[processor]",
                        )
                    ],
                ),
            ],
        ),
        Row(
            "Ledger",
            [
                Panel(
                    title="Rows by topic",
                    description="Follows the traffic. Flat while requests come means that the audit is behind.",
                    unit="reqps",
                    stacked=True,
                    queries=[Query("sum by (topic) (rate(compat_ledger_rows_total[$window]))", "[topic]")],
                ),
                Panel(
                    title="Seconds since the chains grew, and since they were anchored",
                    description="An anchor is due when the chains have grown since; overdue after five minutes.",
                    unit="s",
                    queries=[
                        Query(
                            'time() - max(compat_ledger_last_commit_timestamp_seconds{job="ledger"} > 0)', "grown"
                        ),
                        Query(
                            'time() - max(compat_ledger_last_anchor_timestamp_seconds{job="ledger"} > 0)',
                            "anchored",
                        ),
                    ],
                ),
                Panel(
                    title="Audit writes that had to be tried again",
                    description="Nothing is lost, but the ledger is behind while this is above zero.",
                    unit="reqps",
                    bad=0.001,
                    queries=[
                        Query(
                            'sum by (on) (rate(compat_stream_unavailable_total{processor="ledger"}[$window]))',
                            "[on]",
                        )
                    ],
                ),
                Panel(
                    title="Rows to look at",
                    description="Conflicting ids and unreadable records; each is in the ledger with its reason.",
                    unit="short",
                    bad=1,
                    queries=[
                        Query("sum by (status) (compat_ledger_quarantined_total) or on() vector(0)", "[status]"),
                    ],
                ),
            ],
        ),
    ],
)

WORKFLOW = Dashboard(
    "compat-exceptions",
    "Exception Workflow Monitor",
    [
        Row(
            "Now",
            [
                _stat(
                    "Waiting for a decision",
                    "Exceptions in PENDING or IN_REVIEW.",
                    "short",
                    'sum(version_compat_exceptions{status=~"PENDING|IN_REVIEW"})',
                ),
                _stat(
                    "SLA left",
                    "Of the most urgent one; a day if none is open.",
                    "h",
                    "(min(version_compat_approval_sla_left_seconds) or vector(86400)) / 3600",
                    warn=4,
                    bad=0,
                    low_is_bad=True,
                ),
                _stat(
                    "In force",
                    "Approved and not yet used up, expired or ended.",
                    "short",
                    'sum(version_compat_exceptions{status="APPROVED"})',
                ),
                _stat(
                    "Without monitoring",
                    "Exceptions whose monitoring is missing or lost. Must be zero.",
                    "short",
                    "sum(version_compat_exceptions_unmonitored)",
                    bad=1,
                ),
                _stat(
                    "SLAs that ran out",
                    "Steps and totals of the last day.",
                    "short",
                    "round(sum(increase(version_compat_approval_sla_breach_total[1d]))) or vector(0)",
                    warn=1,
                    bad=5,
                ),
                _stat(
                    "Let pass by exception",
                    "Requests of the last day.",
                    "short",
                    'round(sum(increase(version_compat_check_total{verdict="ALLOW_BY_EXCEPTION"}[1d])))',
                ),
            ],
        ),
        Row(
            "Approvals",
            [
                Panel(
                    title="Asked for and approved, since the start of the processes",
                    description="The distance between the two is what was refused, withdrawn or still waits.",
                    unit="short",
                    queries=[
                        Query("sum(version_compat_exception_request_total)", "asked for"),
                        Query("sum(version_compat_exception_approved_total)", "approved"),
                    ],
                ),
                Panel(
                    title="How long decisions take",
                    description="From the opening of a review to its decision; the promise is 24 hours.",
                    unit="s",
                    warn=8 * 3600,
                    bad=24 * 3600,
                    queries=[
                        Query(
                            f"histogram_quantile({q}, sum by (le) (version_compat_approval_seconds_bucket))", name
                        )
                        for q, name in ((0.5, "p50"), (0.9, "p90"))
                    ],
                ),
                Panel(
                    title="SLA left by band",
                    description="Until the most urgent review of a band is over its total; below zero it is.",
                    unit="s",
                    warn=4 * 3600,
                    bad=0,
                    low_is_bad=True,
                    queries=[
                        Query("min by (band) (version_compat_approval_sla_left_seconds)", "[band], total"),
                        Query("min by (band) (version_compat_approval_step_left_seconds)", "[band], step"),
                    ],
                ),
                Panel(
                    title="Exceptions by state",
                    description="PENDING and IN_REVIEW should drain; NEEDS_REVIEW should be empty.",
                    unit="short",
                    stacked=True,
                    queries=[Query("sum by (status) (version_compat_exceptions) > 0", "[status]")],
                ),
            ],
        ),
        Row(
            "Trouble",
            [
                Panel(
                    title="Refusals by reason",
                    description="WRONG_STEP is a slip. BAD_SIGNATURE or REPLAYED is an attack or a broken tool.",
                    unit="short",
                    queries=[
                        Query("topk(8, sum by (reason) (version_compat_exception_refusal_total) > 0)", "[reason]")
                    ],
                ),
                Panel(
                    title="Monitoring that went missing",
                    description="Installations by exception that were reported without the monitoring they needed.",
                    unit="short",
                    bad=1,
                    queries=[Query("sum(version_compat_monitoring_missing_total)", "reported")],
                ),
                Panel(
                    title="What happens to exceptions",
                    description="Events of the workflow; the ledger has each one.",
                    unit="reqps",
                    stacked=True,
                    queries=[
                        Query("sum by (event) (rate(version_compat_exception_event_total[$window]))", "[event]")
                    ],
                ),
                Panel(
                    title="SLAs that ran out",
                    description="Of steps, and of the whole.",
                    unit="short",
                    queries=[Query("sum by (clock) (version_compat_approval_sla_breach_total)", "[clock]")],
                ),
            ],
        ),
    ],
)

DASHBOARDS = (GUARD, WORKFLOW)
