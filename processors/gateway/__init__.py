"""The HTTP interface of the guard: checks, exception requests, approvals, reports and the ledger.

It contains no rules. A request becomes a record on a topic, as with any client; the response is what the processors
wrote. See README.md.
"""
