"""The ledger: everything that happened, once, searchable, and provably untampered. See README.md."""
