"""The base score of CVSS v3: the specification's equations, by vectors whose scores are public knowledge."""

import pytest

from processors.errors import DocumentRefused
from processors.policies.cvss import base_score, rating


@pytest.mark.parametrize(
    ("metrics", "score", "word"),
    [
        pytest.param("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, "critical", id="remote code, scope changed"),
        pytest.param("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical", id="remote code"),
        pytest.param("AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 9.0, "critical", id="exactly critical"),
        pytest.param("AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 8.8, "high", id="privileges weigh more if changed"),
        pytest.param("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, "high", id="a leak"),
        pytest.param("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, "medium", id="injection, scope changed"),
        pytest.param("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "medium", id="cross-site scripting"),
        pytest.param("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, "low", id="a trifle"),
        pytest.param("AV:P/AC:H/PR:H/UI:R/S:C/C:N/I:N/A:N", 0.0, "low", id="no impact"),
    ],
)
@pytest.mark.parametrize("prefix", ["CVSS:3.1", "CVSS:3.0"])
def test_a_vector_has_its_score_and_its_word(prefix: str, metrics: str, score: float, word: str) -> None:
    """Both versions have the same base equations."""
    assert (score, word) == (base_score(f"{prefix}/{metrics}"), rating(score))


def test_metrics_beyond_the_base_change_nothing() -> None:
    """Temporal and environmental metrics have scores of their own."""
    base = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

    assert base_score(base) == base_score(f"{base}/E:U/RL:O/RC:U/MAV:P")


@pytest.mark.parametrize(
    ("vector", "complaint"),
    [
        pytest.param("", "begins with", id="nothing"),
        pytest.param("AV:N/AC:L/Au:N/C:P/I:P/A:P", "begins with", id="version 2"),
        pytest.param(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "begins with", id="version 4"
        ),
        pytest.param("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "A as one of", id="a metric is missing"),
        pytest.param("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV as one of", id="no such value"),
        pytest.param("CVSS:3.1/AV:N/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "twice", id="a metric twice"),
        pytest.param("CVSS:3.1/" + "x" * 10_000, "begins with", id="huge"),
    ],
)
def test_what_is_no_vector_is_refused(vector: str, complaint: str) -> None:
    with pytest.raises(DocumentRefused, match=complaint):
        base_score(vector)
