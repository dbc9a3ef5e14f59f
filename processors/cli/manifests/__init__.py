"""Commands about manifests and version ranges."""
