"""Writes values as YAML that our strict reader reads back as the same values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from processors.documents.yaml_text import is_text


def to_yaml(values: Mapping[str, Any]) -> str:
    """Keys keep the given order. There are no anchors: the reader refuses them."""
    # The stubs' open types differ from release to release.
    dump: Any = yaml.dump  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return str(dump(dict(values), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=116))


class _Plain(yaml.SafeDumper):
    """Quotes texts that our reader, rather than PyYAML's, would not read as text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = None if is_text(data) else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)  # pyright: ignore[reportUnknownMemberType] - the stubs leave the value open


_Plain.add_representer(str, _Plain.represent_str)
