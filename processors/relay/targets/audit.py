"""Audit records: who did what to which plugin, when, how it ended and why; one flat record for each event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processors.relay.outgoing import Outgoing
from processors.stream.wire.headers import rfc3339


def audit_record(event: Outgoing) -> Mapping[str, Any]:
    """The record of an event. Fields that an event lacks are empty. `evidence` says where the whole event is."""
    data = event.data
    return {
        "record_id": event.id,
        "at": rfc3339(event.at),
        "actor": data.get("actor") or data.get("operator") or data.get("recipient") or "",
        **_deed(event),
        **{name: data.get(name) or "" for name in _WHAT},
        "evidence": {
            "topic": event.origin.topic,
            "partition": event.origin.partition,
            "offset": event.origin.offset,
            "report_digest": data.get("report_digest") or "",
        },
    }


_WHAT = (
    *("tenant", "environment", "target", "plugin_id", "plugin_version", "host", "host_version"),
    *("request_id", "exception_id", "approval_id", "band", "monitoring_profile"),
)


def _deed(event: Outgoing) -> Mapping[str, Any]:
    """What was done, how it ended, and why, for each kind of event."""
    data = event.data
    match event.kind:
        case "blocks":
            return {"action": "install_blocked", "outcome": data["verdict"], "reasons": list(data["finding_codes"])}
        case "results":
            return {"action": "install_checked", "outcome": data["verdict"], "reasons": list(data["refusals"])}
        case "decisions":
            reasons = [text for text in (data["reason_code"], data["reason"]) if text]
            return {"action": f"exception_{data['event']}", "outcome": data["to_state"], "reasons": reasons}
        case "outcomes":
            reasons = [data["reason"]] if data["reason"] else []
            return {"action": "install_finished", "outcome": data["outcome"], "reasons": reasons}
        case _:
            return {"action": "notified", "outcome": data["kind"], "reasons": []}
