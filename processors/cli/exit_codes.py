"""The exit codes of each command: declared once, shown by its help and the manual, and enforced by `main`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_DONE: Final = "done"
_INPUT: Final = "a mistake in what was given, or refused"
_SERVER: Final = "a server does not answer"
_INTERRUPTED: Final = "stopped by Ctrl-C"

_SUCCESS: Final[Mapping[str, str]] = {
    "check": "it may be installed, a warning included",
    "plan": "everything fits, or a plan leads there",
    "request": "it may be installed, a warning included",
    "report": "it was allowed, a warning included",
    "recheck": "it may be installed, a warning included",
    "approve": "the decision counts",
    "deny": "the decision counts",
    "satisfies": "yes",
    "accuracy": "98 % or better",
    "doctor": "nothing is wrong, a warning included",
    "stack status": "everything runs",
}
_ONE: Final[Mapping[str, str]] = {
    "check": "it is blocked",
    "plan": "there is no plan, or it cannot be judged",
    "request": "it is blocked",
    "report": "it was blocked",
    "recheck": "it is blocked",
    "exception rebuild": "something differs, or cannot be explained",
    "matrix status": "a source is missing, expired or issued in the future",
    "matrix explain": "the rows block it",
    "matrix lint": "something must not be published",
    "matrix publish": "a question was answered with no",
    "policies lint": "something must not be published",
    "manifest lint": "there are errors",
    "satisfies": "no",
    "accuracy": "below 98 %",
    "ledger search": "no event matches",
    "ledger show": "nothing bears that id",
    "ledger verify": "something does not fit",
    "ledger verify-proof": "the proof does not hold",
    "ledger reconcile": "something differs",
    "ledger rebuild-views": "something differs",
    "topics lint": "something is wrong",
    "topics diff": "something differs",
    "acls diff": "something differs, or another principal reaches what is the guard's",
    "acls apply": "--prune has left rules of another principal that reach what is the guard's",
    "doctor": "something is wrong",
    "demo": "an outcome was not the expected one",
}
_PENDING: Final = frozenset({"exception request", "exception amend", "exception extend"})

OFFLINE: Final = frozenset(
    {
        *(
            "check",
            "plan",
            "explain",
            "manual",
            "schema",
            "satisfies",
            "accuracy",
            "manifest lint",
            "manifest show",
        ),
        *("matrix import", "matrix keys", "matrix lint", "matrix sign", "policies lint", "ledger keys"),
        *("ledger verify-proof", "topics lint", "topics asyncapi", "topics page", "topics release"),
        *("acls show", "acls page", "config check", "config show", "gateway keys", "gateway openapi"),
        *("seals make", "seals rotate", "seals promote"),
    }
)
"""Commands that use no server."""

_JUDGES: Final = frozenset(
    {
        *("check", "plan", "request", "report", "recheck", "satisfies", "accuracy", "doctor"),
        *("matrix explain", "matrix lint", "matrix status", "policies lint", "manifest lint", "topics lint"),
        *("topics diff", "acls diff", "ledger verify", "ledger verify-proof", "ledger reconcile"),
        *("ledger rebuild-views", "exception rebuild"),
    }
)
"""Commands whose output is a verdict. If it is lost, they end with OUTPUT_LOST."""

OUTPUT_LOST: Final = 74
"""Exit code where stdout cannot be written to; sysexits calls it EX_IOERR."""


FAULT: Final = 70
"""Exit code of a command that has a fault itself, and of a process that must be started afresh; sysexits calls it
EX_SOFTWARE."""


def codes_of(command: str) -> dict[int, str]:
    """The exit codes of a command such as `matrix publish`, and their meanings."""
    codes = {0: _SUCCESS.get(command, _DONE)}
    if command in _PENDING:
        codes = {4: "it waits for approval"}
    if command in _ONE:
        codes[1] = _ONE[command]
    codes[2] = _INPUT
    if command not in OFFLINE:
        codes[3] = _SERVER
    if command == "ledger prove":
        codes[3] = f"no anchor covers the event yet, or {_SERVER}"
    codes[FAULT] = "a fault of the command itself, with its traceback"
    if command == "run":
        codes[FAULT] = "it asks to be started afresh"
    if command == "ledger reconcile":
        codes[FAULT] = "a topic is not the one that the ledger was filed from"
    codes[OUTPUT_LOST] = (
        "the verdict could not be written" if command in _JUDGES else "the output could not be written"
    )
    codes[130] = _INTERRUPTED
    return dict(sorted(codes.items()))


def tells_verdict(arguments: Sequence[str]) -> bool:
    """Whether a command line, without the program's name, prints a verdict and not a listing."""
    words = [word for word in arguments if not word.startswith("-")]
    return bool(words) and (words[0] in _JUDGES or " ".join(words[:2]) in _JUDGES)


def in_help(command: str) -> str:
    """The codes as the last lines of a command's help."""
    return "Exit codes: " + "; ".join(f"{code} {means}" for code, means in codes_of(command).items()) + "."
