"""What an operator sees of deliveries over HTTP, and does about them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from examples import web
from examples.gateways import Edge, Provider, Replica, bearer
from examples.ground import eventually
from examples.issuers import claims, token
from examples.platform import Answer, Platform
from examples.relaying import Relaying, now, target

from processors.cli.demo.commands import environment_of
from processors.embedded import Addresses

pytestmark = pytest.mark.stack

OPERATOR = bearer(token(claims("otto", roles=("operator",))))


def test_a_delivery_that_was_given_up_is_tried_again_over_http(
    stack: Addresses, relaying: Relaying, tmp_path: Path
) -> None:
    """By who may, once the receiver has mended what it refused; it gets the same id."""
    (tmp_path / "edge").mkdir()
    with Provider(tmp_path / "edge") as provider, Platform(lambda _: Answer(422)) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        with Edge(stack, tmp_path / "edge", provider).gateways() as (gateway,), relaying.running():
            address, mine = f"{gateway.url}/internal/deliveries", {"target": to["name"]}
            (id,) = relaying.publish()

            def dead() -> list[str]:
                shown = web.get(address, headers=OPERATOR, params={**mine, "status": "dead"}, timeout=60)
                return [one["id"] for one in shown.json()["deliveries"]]

            eventually(lambda: dead() == [id])
            platform.behave = lambda _: Answer(204)
            others = web.post(f"{address}/{id}/replay", headers=bearer(), timeout=60)
            missing = web.post(f"{address}/nobody/replay", headers=OPERATOR, timeout=60)
            done = web.post(f"{address}/{id}/replay", headers=OPERATOR, timeout=60)
            eventually(lambda: dead() == [])
            eventually(lambda: len(platform.received) > 3)  # it is pending first, and tried a moment later

    assert (others.status_code, missing.status_code) == (403, 404)
    assert (done.status_code, done.json()) == (202, {"replayed": 1})
    assert platform.ids() == [id] * 4


def test_the_page_of_deliveries_shows_one_that_was_given_up_and_tries_it_again(
    stack: Addresses, relaying: Relaying, tmp_path: Path
) -> None:
    """With what the receiver said as text, whatever it said; the way out stands in the same row."""
    with Platform(lambda _: Answer(422, body=b"<script>alert(1)</script>")) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        page = Replica(
            {**os.environ, **environment_of(stack), "GUARD_GATEWAY__PROFILE": "embedded"}, tmp_path / "gateway.log"
        )
        try:
            with relaying.running():
                (id,) = relaying.publish()
                eventually(page.ready, 60)

                def shown() -> str:
                    text = web.get(f"{page.url}/deliveries", timeout=60).text
                    return next((row for row in text.split("<tr>") if id in row), "")

                eventually(lambda: "given up" in shown())
                row = shown()
                fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', row))
                platform.behave = lambda _: Answer(204)
                own = {"Sec-Fetch-Site": "same-origin"}
                done = web.post(f"{page.url}/deliveries/replay", data=fields, headers=own, timeout=60)
                eventually(lambda: shown() == "")
        finally:
            page.stop()

    assert "422" in row
    assert "<script" not in row
    assert (done.status_code, done.headers["location"]) == (303, "/deliveries?said=replayed")
