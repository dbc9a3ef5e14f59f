"""Manifest files of several ecosystems, read into the one type that the check knows. Pure ground."""

from processors.manifests.read import load_manifest, read_manifest

__all__ = ["load_manifest", "read_manifest"]
