"""Reads manifest files of several ecosystems into the one type that the check knows. Pure."""

from processors.manifests.read import load_manifest, read_manifest

__all__ = ["load_manifest", "read_manifest"]
