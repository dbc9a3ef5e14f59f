"""The function that writes the sentence for each code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from processors.checker.sentences import plugins, releases, surroundings, unreadable
from processors.checker.sentences.fact import Asked, Fact, Words
from processors.events.report import Finding
from processors.events.vocabulary import Code


def in_words(finding: Finding, asked: Asked) -> Words:
    return _SENTENCES[finding.code](Fact(finding, asked))


_SENTENCES: Final[Mapping[Code, Callable[[Fact], Words]]] = {
    Code.UNKNOWN: unreadable.unknown,
    Code.GUARD_OFF: unreadable.guard_off,
    Code.HOST_TOO_OLD: plugins.host_too_old,
    Code.HOST_TOO_NEW: plugins.host_too_new,
    Code.HOST_PRERELEASE_EXCLUDED: plugins.host_prerelease,
    Code.HOST_UNDECLARED: plugins.host_undeclared,
    Code.DEPENDENCY_MISSING: plugins.dependency_missing,
    Code.DEPENDENCY_TOO_OLD: plugins.dependency_too_old,
    Code.DEPENDENCY_TOO_NEW: plugins.dependency_too_new,
    Code.DEPENDENCY_DISABLED: plugins.dependency_disabled,
    Code.DEPENDENCY_CYCLE: plugins.dependency_cycle,
    Code.DEPENDENT_BROKEN: plugins.dependent_broken,
    Code.PLUGIN_CONFLICT: plugins.plugin_conflict,
    Code.CONFLICT_REVERSE: plugins.conflict_reverse,
    Code.RUNTIME_TOO_OLD: surroundings.runtime_too_old,
    Code.RUNTIME_TOO_NEW: surroundings.runtime_too_new,
    Code.RUNTIME_UNDECLARED: surroundings.runtime_undeclared,
    Code.DATABASE_UNSUPPORTED: surroundings.database_unsupported,
    Code.API_BREAK: surroundings.contract_break,
    Code.SCHEMA_BREAK: surroundings.contract_break,
    Code.MIGRATION_IRREVERSIBLE: surroundings.migration_irreversible,
    Code.MIGRATION_GAP: surroundings.migration_gap,
    Code.MIGRATION_CHECKSUM_CHANGED: surroundings.migration_checksum,
    Code.DATA_FORMAT_BREAK: surroundings.data_format,
    Code.DOWNGRADE: releases.downgrade,
    Code.LIFECYCLE_DEPRECATED: releases.deprecated,
    Code.LIFECYCLE_SUNSET: releases.sunset,
    Code.SECURITY_BASELINE_LOW: releases.baseline,
    Code.SECURITY_ADVISORY: releases.advisory,
    Code.MATRIX_MISSING: releases.matrix_missing,
    Code.MATRIX_UNLISTED: releases.matrix_unlisted,
    Code.MATRIX_EXPIRED: releases.matrix_expired,
    Code.MATRIX_BLOCK: releases.matrix_row,
    Code.MATRIX_WARN: releases.matrix_row,
    Code.CONSTRAINT_INVALID: unreadable.constraint_invalid,
    Code.VERSION_UNREADABLE: unreadable.version_unreadable,
    Code.MANIFEST_INVALID: unreadable.manifest_invalid,
}
