"""Only what a trusted source has signed takes effect, in the order of its serials, and while it may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples.matrices import HOUR, NOON, a_document, a_rule
from examples.trust import PUBLIC, SIGNER, a_key, as_signed, said

from processors.configuration.settings import shipped
from processors.matrix.document import DAY, MatrixDocument
from processors.matrix.floors import Floor, Floors
from processors.matrix.fold import UNUSABLE, MatrixFold
from processors.matrix.merged import Matrix
from processors.matrix.parts import TOPIC, key_of, split, withdrawal, withdrawal_of
from processors.stream.types import Inbound
from processors.stream.wire.schema import Schema
from processors.trust.keys import PublicKey, Signer
from processors.trust.scope import Scope
from processors.trust.sources import Trust, TrustedSource

SCHEMA = Schema.read((Path(shipped("schemas")) / "MatrixRefreshed.avsc").read_text("utf-8"))
VENDOR, VENDORS = a_key("vendor")
TRUST = Trust(
    {
        "governance": TrustedSource((PUBLIC,), longest_validity=7 * DAY, required=True),
        "vendor": TrustedSource((VENDORS,)),
    }
)
BLOCKS = a_document(a_rule(), revision="blocks")
ALLOWS = a_document(a_rule(action="allow"), revision="allows")
OF_VENDOR = a_document(a_rule(), source="vendor")


def refresh(document: MatrixDocument, number: int = 1, *, by: Signer = SIGNER, **altered: Any) -> list[Inbound]:
    """A refresh as records of the topic. `altered` are fields that somebody changed after it was signed."""
    signed = said(document, NOON, serial=number, by=by)
    return [record_of({**part, **altered}) for part in split(document, *signed)]


def record_of(part: Mapping[str, Any], at: int = NOON) -> Inbound:
    return Inbound(TOPIC, 0, 0, at, key_of(part["source"], part["part"]), SCHEMA.encode(part))


def withdrawn(serial: int, *, source: str = "governance", by: Signer = SIGNER, **altered: Any) -> list[Inbound]:
    return [record_of({**withdrawal(*as_signed(withdrawal_of(source, NOON, serial), by)), **altered})]


def folded(
    *drains: Sequence[Inbound], trust: Trust = TRUST, floors: Floors | None = None
) -> tuple[Matrix, set[str]]:
    """The matrix, and the reasons of what was refused."""
    fold = MatrixFold(SCHEMA.decode, trust, lambda: floors or {})
    rejects = [reject for drain in drains for reject in fold.apply(drain)]
    return fold.snapshot(), {reject.reason for reject in rejects}


def standing(matrix: Matrix) -> list[tuple[str, str]]:
    return [(source.name, source.revision) for source in matrix.sources]


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(refresh(ALLOWS, 2, by=VENDOR), id="signed by another source"),
        pytest.param(refresh(ALLOWS, 2, signature=""), id="not signed"),
        pytest.param(refresh(ALLOWS, 2, signature="e30..AAAA"), id="a header without a key"),
        pytest.param(refresh(ALLOWS, 2, signature="x" * 3000), id="a signature without end"),
        pytest.param(refresh(ALLOWS, 1, serial=2), id="a serial raised"),
        pytest.param(refresh(ALLOWS, 2, expires_at=NOON + 2 * DAY), id="an expiry moved"),
        pytest.param(refresh(ALLOWS, 2, issued_at=NOON + 1), id="a time of issue moved"),
        pytest.param(refresh(ALLOWS, 2, revision="blocks"), id="a revision changed"),
        pytest.param(refresh(ALLOWS, 2, signature=said(BLOCKS, NOON, serial=2).signature), id="of other content"),
        pytest.param(
            refresh(ALLOWS, 2, signature=as_signed(withdrawal_of("governance", NOON, 2)).signature),
            id="the signature of a withdrawal",
        ),
        pytest.param(withdrawn(2, by=VENDOR), id="withdrawn by another source"),
        pytest.param(
            [record_of({**SCHEMA.decode(withdrawn(2)[0].value), "signature": ""})], id="withdrawn by nobody"
        ),
    ],
)
def test_what_the_source_has_not_signed_changes_nothing(forged: Sequence[Inbound]) -> None:
    matrix, reasons = folded(refresh(BLOCKS), forged)

    assert standing(matrix) == [("governance", "blocks")]
    assert reasons == {"untrusted"}


def test_rows_changed_under_a_good_signature_change_nothing() -> None:
    """The signature is over the digest, and the digest over every row."""
    part = dict(SCHEMA.decode(refresh(BLOCKS, 2)[0].value))
    part["rules"][0]["action"] = "allow"

    matrix, reasons = folded(refresh(BLOCKS), [record_of(part)])

    assert standing(matrix) == [("governance", "blocks")]
    assert reasons == {"matrix_refused"}


def test_a_source_that_nobody_trusts_is_not_even_shown_as_unusable() -> None:
    """Else whoever may write the topic could block every request."""
    stranger = a_document(a_rule(), source="stranger")

    matrix, reasons = folded(refresh(BLOCKS), refresh(stranger), [Inbound(TOPIC, 0, 0, 0, b"x/0001", b"junk")])

    assert standing(matrix) == [("governance", "blocks")]
    assert reasons == {"untrusted"}


def test_serials_only_rise() -> None:
    """A refresh of the past, with its good signature, is refused whatever time it states."""
    matrix, reasons = folded(refresh(ALLOWS, 1), refresh(BLOCKS, 2), refresh(ALLOWS, 1))

    assert standing(matrix) == [("governance", "blocks")]
    assert reasons == {"untrusted"}


def test_a_serial_is_used_once() -> None:
    """For another content it needs another one; the same again is the same."""
    matrix, reasons = folded(refresh(BLOCKS, 2), refresh(BLOCKS, 2), refresh(ALLOWS, 2))

    assert standing(matrix) == [("governance", "blocks")]
    assert reasons == {"untrusted"}


def test_a_higher_serial_may_have_an_earlier_time_of_issue() -> None:
    """So that a publisher whose clock was wrong can correct it."""
    late = said(BLOCKS, NOON + HOUR, serial=1)
    first = [record_of(part, NOON + HOUR) for part in split(BLOCKS, *late)]

    assert standing(folded(first, refresh(ALLOWS, 2))[0]) == [("governance", "allows")]


def test_after_compaction_and_a_restart_an_older_refresh_does_not_take_effect() -> None:
    """It has displaced the newer one in the topic. What that forbade is not known, so everything blocks."""
    floors = {"governance": Floor(2, BLOCKS.digest, False)}

    matrix, reasons = folded(refresh(ALLOWS, 1), floors=floors)

    assert standing(matrix) == [("governance", UNUSABLE)]
    assert matrix.expired(NOON)
    assert reasons == set()


def test_after_compaction_and_a_restart_a_source_that_was_deleted_is_not_forgotten() -> None:
    """Tombstones have displaced all of it."""
    matrix, _ = folded([], floors={"vendor": Floor(2, "d", False)})

    assert standing(matrix) == [("vendor", UNUSABLE)]


def test_what_the_floors_name_takes_effect_after_a_restart() -> None:
    floors = {"governance": Floor(2, BLOCKS.digest, False)}

    assert standing(folded(refresh(ALLOWS, 1), refresh(BLOCKS, 2), floors=floors)[0]) == [("governance", "blocks")]


def test_a_withdrawn_source_does_not_come_back_by_its_past() -> None:
    """Neither while the withdrawal is there nor when only the floor is left of it."""
    once, reasons = folded(refresh(OF_VENDOR, 1, by=VENDOR), withdrawn(2, source="vendor", by=VENDOR))
    assert (standing(once), reasons) == ([], set())
    assert once.floors["vendor"] == Floor(2, "", True)

    later, _ = folded(refresh(OF_VENDOR, 1, by=VENDOR), floors=once.floors)
    assert standing(later) == []


def test_a_source_that_is_not_trusted_any_more_is_gone() -> None:
    """It was taken out of the configuration, and its floor does not matter any more."""
    matrix, _ = folded([], floors={"gone": Floor(2, "d", False)})

    assert standing(matrix) == []


def test_no_refresh_holds_for_longer_than_its_source_may() -> None:
    """Whatever it states: ten years are seven days here."""
    long = replace(BLOCKS, expires_after=3650 * DAY)

    (source,) = folded(refresh(long))[0].sources

    assert source.expires_at == NOON + 7 * DAY


def test_a_required_source_that_is_not_there_is_missing() -> None:
    """Also after its own withdrawal; and the basis of an answer says so."""
    without, _ = folded(refresh(OF_VENDOR, by=VENDOR))
    complete, _ = folded(refresh(OF_VENDOR, by=VENDOR), refresh(BLOCKS))
    after, _ = folded(refresh(OF_VENDOR, by=VENDOR), refresh(BLOCKS), withdrawn(2))

    assert without.missing == after.missing == ("governance",)
    assert complete.missing == ()
    assert without.digest == after.digest != Matrix.EMPTY.add(OF_VENDOR, NOON, NOON + DAY).digest


def test_what_a_source_speaks_for_is_what_the_configuration_says() -> None:
    """It cannot be stated in the matrix itself."""
    scoped = TrustedSource((VENDORS,), scope=Scope(("com.acme.*",)))
    trust = Trust({**TRUST.sources, "vendor": scoped})
    drains = refresh(BLOCKS), refresh(OF_VENDOR, by=VENDOR)

    for trusting, speaks in ((TRUST, False), (trust, True)):
        authority = folded(*drains, trust=trusting)[0].authority
        assert authority.speaks_for("vendor", "com.acme.crm") is speaks
        assert not authority.speaks_for("vendor", "org.crm")
        assert authority.speaks_for("governance", "org.crm")


def test_a_required_governance_that_is_not_there_leaves_its_place_to_nobody() -> None:
    """Sources without a scope speak for everything only where governance neither is there nor has to be."""
    free = Trust({"vendor": TrustedSource((VENDORS,))})
    drain = refresh(OF_VENDOR, by=VENDOR)

    assert not folded(drain)[0].authority.speaks_for("vendor", "com.acme.crm")
    assert folded(drain, trust=free)[0].authority.speaks_for("vendor", "com.acme.crm")


def test_a_key_that_is_revoked_vouches_for_nothing_later() -> None:
    """What the broker took before that stays in effect: a restart gives the same answer."""
    revoked = PublicKey(PUBLIC.kid, PUBLIC.key, PUBLIC.algorithms, revoked_at=NOON)
    trust = Trust({"governance": TrustedSource((revoked,))})
    before = [replace(record, timestamp=NOON - 1) for record in refresh(BLOCKS)]

    assert standing(folded(before, trust=trust)[0]) == [("governance", "blocks")]
    matrix, reasons = folded(before, refresh(ALLOWS, 2), trust=trust)
    assert (standing(matrix), reasons) == ([("governance", "blocks")], {"untrusted"})


def test_several_keys_may_vouch_for_a_source() -> None:
    """During a rotation the old and the new one."""
    trust = Trust({"governance": TrustedSource((PUBLIC, VENDORS))})

    matrix, reasons = folded(refresh(BLOCKS, 1), refresh(ALLOWS, 2, by=VENDOR), trust=trust)

    assert (standing(matrix), reasons) == ([("governance", "allows")], set())
