"""The transactional loop: poll, handle, commit; its state, tables, health and dead letters."""
