"""Topics and schemas of a cluster, compared with the contract."""
