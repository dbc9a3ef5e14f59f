"""The ledger: every event exactly once, searchable and tamper-evident. See README.md."""
