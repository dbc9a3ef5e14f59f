"""From settings to the real things: clients, processors, keys, the supervisor."""
