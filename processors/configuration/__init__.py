"""Settings from the environment, and config/guard.yaml."""
