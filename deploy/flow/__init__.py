"""The picture of the flow in README.md. `python -m deploy.flow` draws it."""
