"""Each file in tests/data/manifests is read as the platform's people would read it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from processors.events.subject import Host, Manifest, Requirement, Subject
from processors.events.subject_record import subject_from_record, subject_to_record
from processors.manifests import load_manifest
from processors.manifests.read import ecosystem_of, file_bytes, open_document

SAMPLES = Path(__file__).parents[2] / "data" / "manifests"
REQUEST = json.loads(
    (Path(__file__).parents[3] / "schemas" / "InstallRequested.avsc").read_bytes(),
    object_hook=lambda node: {
        key: value for key, value in node.items() if key != "logicalType"
    },  # times as numbers
)
SUBJECT = parse_schema(next(field["type"] for field in REQUEST["fields"] if field["name"] == "subject"))
CRM = "com.powerx.plugins.crm"

EXPECTED = {
    "almanac-datasource.plugin.json": ("grafana", "nordwind-almanac-datasource", "1.0.4", "9.x.x", []),
    "approval-gate.MANIFEST.MF": (
        "jenkins",
        "approval-gate",
        "63.v62d2fd4b_4793",
        "from 2.440.3",
        [
            "credentials >=1371.vfee6b_095f0a_3",
            "workflow-step-api >=678.v3ee58b_469476",
            "mailer >=489.vd4b_25144138f, optional",
        ],
    ),
    "broken-types.plugin.yaml": ("powerx", "", "", None, [f"{CRM} >=0.5.0", "com.powerx.plugins.mailer"]),
    "chat-bridge.plugin.yaml": ("powerx", "com.example.chat-bridge", "0.1.0", None, []),
    "crm-0.9.3.plugin.yaml": ("powerx", CRM, "0.9.3", "from 0.6 to 1.10", []),
    "disk-watch.MANIFEST.MF": (
        "jenkins",
        "disk-watch",
        "1.9",
        "from 1.651",
        [
            "bouncycastle-api >=2.16.0, optional",
            "command-launcher >=1.0, optional",
            "jdk-tool >=1.0, optional",
            "jaxb >=2.3.0, optional",
            "trilead-api >=1.0.4, optional",
            "sshd >=3.0.1, optional",
            "javax-activation-api >=1.2.0-2, optional",
            "javax-mail-api >=1.6.2-5, optional",
            "instance-identity >=3.1, optional",
        ],
    ),
    "e-invoice.plugin.json": ("powerx", "com.powerx.finance.e-invoice", "2.0.1", ">=1.9.0 <3", [f"{CRM} >=1.0.0"]),
    "inventory-sync-1.4.2.plugin.yaml": (
        "powerx",
        "com.powerx.plugins.inventory-sync",
        "1.4.2",
        ">=1.8.0 <2.0.0",
        [f"{CRM} >=0.5.0"],
    ),
    "inventory-sync-1.5.0.plugin.yaml": (
        "powerx",
        "com.powerx.plugins.inventory-sync",
        "1.5.0",
        ">=2.0.0",
        [f"{CRM} >=0.5.0"],
    ),
    "ledger-api.Chart.yaml": ("helm", "ledger-api", "3.1.0", ">=1.28.0-0 <1.35.0-0", []),
    "ledger-lens.package.json": ("vscode", "nordwind.ledger-lens", "0.8.2", "^1.104.0", []),
    "legacy-stock.plugin.yaml": (
        "powerx",
        "com.powerx.legacy.stock",
        "1.5.0",
        ">=1.0.0 from 1.0.0 to 1.9.99",
        [],
    ),
    "loyalty.plugin.yaml": (
        "powerx",
        "com.powerx.plugins.loyalty",
        "3.2.0-rc.1",
        ">=2.0.0-0",
        [f"{CRM} ^1.0.0", "com.powerx.plugins.mailer >=2.1.0, optional"],
    ),
    "mailroom.Chart.yaml": ("helm", "mailroom", "v0.4.0", None, []),
    "misspelled.plugin.yaml": ("powerx", "com.example.misspelled", "1.0.0", None, []),
    "pos-terminal.plugin.yaml": (
        "powerx",
        "com.powerx.retail.pos-terminal",
        "4.5.10-2.0",
        "^1.8.0 || ^2.0.0",
        [f"{CRM} >=0.9.0 <2", "com.powerx.plugins.loyalty ^3.1, optional"],
    ),
    "schema-notebook.package.json": (
        "vscode",
        "nordwind.schema-notebook",
        "1.3.0",
        "^1.95.0",
        ["nordwind.ledger-lens", "ms-toolsai.jupyter", "nordwind.avro-icons"],
    ),
    "tax-rules.plugin.yaml": ("powerx", "com.powerx.finance.tax-rules", "2026.4.0", ">=2.0.0 <3.0.0", []),
    "tide-panel.plugin.json": (
        "grafana",
        "nordwind-tide-panel",
        "2.4.0",
        ">=10.4.0 <13",
        ["nordwind-almanac-datasource"],
    ),
    "wild-ranges.plugin.yaml": (
        "powerx",
        "org.example.wild-ranges",
        "63.v62d2fd4b_4793",
        ">=1.21.2- <1.21.3-",
        ["org.example.alpha >=1.15-alpha.19.39.a", "org.example.caret ^1.104", "org.example.bracket [1.7.3,]"],
    ),
}


def host(manifest: Manifest) -> str | None:
    stated = (
        manifest.host_range,
        manifest.min_host and f"from {manifest.min_host}",
        manifest.max_host and f"to {manifest.max_host}",
    )
    return " ".join(filter(None, stated)) or None


def words(need: Requirement) -> str:
    return f"{need.id} {need.range}".strip() + (", optional" if need.optional else "")


def test_every_sample_is_expected() -> None:
    """A new sample without an expectation proves nothing."""
    assert {path.name for path in SAMPLES.iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_states(name: str) -> None:
    """Ecosystem, id, version, hosts and needs of a file as a person would read them."""
    manifest = load_manifest(SAMPLES / name)
    ecosystem = ecosystem_of(name, open_document(file_bytes(SAMPLES / name), name)).name

    needs = [words(need) for need in manifest.requires]
    assert (ecosystem, manifest.id, manifest.version, host(manifest), needs) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_fits_its_schema(name: str) -> None:
    """What is read travels in an InstallRequested and arrives as it was."""
    installing = Subject(manifest=load_manifest(SAMPLES / name), host=Host("corex", "1.9.0"))
    message = BytesIO()

    schemaless_writer(message, SUBJECT, subject_to_record(installing), strict=True)
    message.seek(0)

    assert subject_from_record(schemaless_reader(message, SUBJECT, None)) == installing


def test_only_the_broken_sample_has_defects() -> None:
    """Undeclared, odd and misspelled are not malformed: those files are read without a defect."""
    assert [name for name in EXPECTED if load_manifest(SAMPLES / name).defects] == ["broken-types.plugin.yaml"]


def test_every_statement_of_the_broken_sample_is_a_defect_of_its_own() -> None:
    """A vendor sees all defects at once."""
    assert [defect.path for defect in load_manifest(SAMPLES / "broken-types.plugin.yaml").defects] == [
        "id",
        "version",
        "corex_version",
        "dependencies.requires[1]",
        "dependencies.requires[2]",
        "dependencies.requires[3].verison",
        "dependencies.com.powerx.plugins.search",
        "migrations[0].reversible",
        "lifecycle.sunset_at",
    ]
