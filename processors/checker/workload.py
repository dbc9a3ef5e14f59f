"""What a check compares pair by pair, and how much of it at most: no request must hold up all the others."""

from __future__ import annotations

from collections import Counter
from typing import Final

from processors.errors import shorten
from processors.events.subject import InstalledPlugin, Manifest, Subject

MOST_BESIDE: Final = 600_000
"""The most plugins and statements that the plugins of one step are judged beside, added up for all of them: some
two seconds of one core. 300 plugins that make five statements each are a little less."""

MOST_PROVIDED: Final = 2_000_000
"""The most pairs of a need and something that the host provides: some two seconds of one core."""


MOST_DESCRIPTIONS: Final = 2_000
"""The most descriptions of one installed plugin that are told apart."""


def too_much(subject: Subject) -> str:
    """What is more in a request than can be judged, as a sentence without a full stop; empty if nothing is."""
    if len(subject.installed) > MOST_DESCRIPTIONS:
        [(id, times)] = Counter(plugin.id for plugin in subject.installed).most_common(1)
        if times > MOST_DESCRIPTIONS:
            return f"{shorten(id)} is described {times} times, too often to tell which of them is installed"
    count, provided = 1 + len(subject.together), len(subject.host.provides)
    if count == 1 and not provided:
        return ""
    stating = (subject.manifest, *subject.together, *subject.installed)
    if count * provided * sum(len(one.requires) for one in stating) > MOST_PROVIDED:
        return f"the host provides {provided} things, too many to look for all needs among them"
    if count > 1 and count * sum(map(_weight, stating)) > MOST_BESIDE:
        return f"{count} plugins are installed at once, too many to judge each beside all the others"
    return ""


def _weight(one: Manifest | InstalledPlugin) -> int:
    return 1 + sum(map(len, (one.requires, one.conflicts, one.provides, one.consumes)))
