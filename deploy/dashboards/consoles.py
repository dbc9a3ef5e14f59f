"""A dashboard as a Prometheus console template: a page that asks Prometheus, with nothing to install.

How it looks and asks is in `compat.lib`, a library of templates that Prometheus reads beside the pages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from deploy.dashboards.panels import Dashboard


def console(of: Dashboard, all_of_them: Sequence[Dashboard]) -> str:
    """The page. Prometheus reads it as a Go template, in which two opening braces would begin an action."""
    content = json.dumps(
        {
            "title": of.title,
            "rows": [asdict(row) for row in of.rows],
            "links": [{"title": other.title, "file": f"{other.uid}.html"} for other in all_of_them],
        },
        indent=1,
    )
    if "{{" in content:
        raise ValueError(f"`{of.title}` holds two opening braces in a row; Prometheus would take them for its own")
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{of.title}</title>
<script>
const content = {content}
</script>
{{{{ template "compat_dashboard" }}}}
</html>
"""
