"""What is served, as an Okta import takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.okta.rehearsal import Manner, rehearse

if TYPE_CHECKING:
    from tests.scim.conftest import Client

BASE = "https://bridge.example/scim/v2"


def connected(ask: Client) -> httpx.Client:
    """An HTTP client whose requests the web role answers in this process."""

    def handle(request: httpx.Request) -> httpx.Response:
        reply = ask(request.url.raw_path.decode(), request.method, dict(request.headers))
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)

    return httpx.Client(transport=httpx.MockTransport(handle))


@pytest.mark.parametrize("manner", [Manner(), Manner(page_size=1), Manner(count_first=True)])
def test_an_import_takes_everybody_who_is_active_and_finds_nothing_amiss(
    manner: Manner, ask: Client
) -> None:
    with connected(ask) as client:
        first = rehearse(client, BASE, ask.token, {}, manner=manner)
        again = rehearse(client, BASE, ask.token, first.linked, manner=manner)
    active = frozenset(ask.ids[name] for name in ("anna", "ben", "jörg"))
    nobody: frozenset[str] = frozenset()
    assert not first.failed
    assert not first.violations
    assert first.created == active
    assert (again.unchanged, again.updated, again.removed) == (active, nobody, nobody)


def test_an_import_before_the_first_load_removes_nobody(unpublished: Client) -> None:
    linked = {"somebody": {"userName": "anna@example.com"}}
    with connected(unpublished) as client:
        outcome = rehearse(client, BASE, unpublished.token, linked)
    assert "503" in outcome.failed
    assert (outcome.linked, outcome.removed) == (linked, frozenset())


def test_an_import_with_a_wrong_token_removes_nobody(ask: Client) -> None:
    with connected(ask) as client:
        outcome = rehearse(client, BASE, "brg_wrong", {"somebody": {}})
    assert "401" in outcome.failed
    assert not outcome.removed
