"""The guard for whoever speaks HTTP: asks, requests exceptions, hands in approvals, reads reports and the ledger.

No rule lives here. What is asked becomes a record on a topic, as any client writes it; what is answered is what the
processors wrote. See README.md.
"""
