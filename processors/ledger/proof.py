"""A proof that one event is in the ledger. It needs only the proof itself and a public key.

row -> leaf -> root of its batch -> leaf of the batch -> root over all batches -> signed anchor
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from joserfc.jwk import KeySet

from processors.documents.canonical import canonical
from processors.errors import DocumentRefused
from processors.ledger import merkle
from processors.ledger.anchors import is_signed
from processors.ledger.chain import Batch, batch_leaf, leaf_of

FORMAT = "compat-guard-inclusion-1"

LARGEST_PROOF = 16 * 1024 * 1024
"""Bytes: ten times the largest possible record's row."""


def prove(
    row: bytes,
    sequence: int,
    leaves: Sequence[bytes],
    batches: Sequence[Batch],
    number: int,
    anchor: Mapping[str, Any],
) -> dict[str, Any]:
    """The proof of a canonical row.

    `leaves` are those of its batch, `batches` the anchored ones, `number` the index of its batch among them, from
    0.
    """
    batch = batches[number]
    columns, _, payload = row.decode().partition("\n")
    return {
        "format": FORMAT,
        "row": json.loads(columns),
        "payload": payload,
        "sequence": sequence,
        "batch": {"number": number, "first": batch.first, "last": batch.last, "root": batch.root.hex()},
        "path_to_batch": [node.hex() for node in merkle.path(leaves, sequence - batch.first)],
        "path_to_anchor": [node.hex() for node in merkle.path([batch_leaf(b) for b in batches], number)],
        "anchor": dict(anchor),
    }


def read_proof(text: bytes) -> Any:
    """The JSON of a proof. It may contain whatever a row may contain, control characters included; but no key may
    occur twice, since two readers would understand it as different proofs.

    Raises DocumentRefused.
    """
    if len(text) > LARGEST_PROOF:
        raise DocumentRefused("", f"this is not an inclusion proof: it is larger than {LARGEST_PROOF // 2**20} MiB")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise DocumentRefused("", "this is not an inclusion proof: it cannot be read as JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DocumentRefused("", "this is not an inclusion proof: a key occurs twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise DocumentRefused("", f"this is not an inclusion proof: `{name}` is not a number")


def check(proof: Mapping[str, Any], keys: KeySet) -> list[str]:
    """What is wrong with a proof, each in a sentence; empty if it is valid.

    Raises DocumentRefused for what is not a proof at all.
    """
    try:
        return list(_check(proof, keys))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        raise DocumentRefused(
            "", "this is not an inclusion proof; `compat-guard ledger prove` writes them"
        ) from None


def _check(proof: Mapping[str, Any], keys: KeySet) -> list[str]:
    if proof["format"] != FORMAT:
        raise ValueError(proof["format"])
    row, anchor, batch = proof["row"], proof["anchor"], proof["batch"]
    stated = Batch(batch["first"], batch["last"], bytes.fromhex(batch["root"]))
    leaf = leaf_of(f"{canonical(row)}\n{proof['payload']}".encode())
    size, index = stated.last - stated.first + 1, proof["sequence"] - stated.first
    reached = merkle.root_from_path(leaf, index, size, _nodes(proof["path_to_batch"]))
    top = merkle.root_from_path(
        batch_leaf(stated), batch["number"], anchor["batches"], _nodes(proof["path_to_anchor"])
    )
    wrong: list[str] = []
    if (row["topic"], row["partition"]) != (anchor["topic"], anchor["partition"]):
        wrong.append("the anchor is of another chain than the row")
    if reached != stated.root:
        wrong.append("the row does not lead to the root of its batch")
    if top is None or f"sha256:{top.hex()}" != anchor["root"]:
        wrong.append("the batch does not lead to the root that was anchored")
    if not is_signed(anchor, keys):
        wrong.append("no known key signed the anchor")
    return wrong


def _nodes(texts: object) -> list[bytes]:
    return [bytes.fromhex(text) for text in cast("list[str]", texts)]
