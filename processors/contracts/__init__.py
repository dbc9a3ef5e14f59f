"""The contract between the processors: topics and schemas, their validation, and comparison with a cluster.

Pure.
"""
