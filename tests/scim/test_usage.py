"""The last use of each token is noted in batches, the last one when the service ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from bridge.errors import StorageError
from bridge.scim.usage import Usage
from bridge.store import Store
from bridge.store.activity import Activity

if TYPE_CHECKING:
    from tests.scim.conftest import Client


def test_a_use_is_noted_when_the_service_ends(ask: Client, store: Store) -> None:
    before = datetime.now(UTC)
    ask.address = "192.0.2.7"
    agent = (b"user-agent", b"Okta SCIM Client 1.0.0")
    good, wrong = (b"authorization", ask.token.encode()), (b"authorization", b"brg_wrong")

    async def run() -> list[int]:
        users: dict[str, Any] = {"method": "GET", "path": "/scim/v2/Users", "query_string": b""}
        async with ask.app.router.lifespan_context(ask.app):
            replies = [await ask.sent(headers=[agent, each], **users) for each in (good, wrong)]
        return [reply.status for reply in replies]

    assert asyncio.run(run()) == [200, 401]
    activity = Activity.open(store.url)
    (use,) = activity.last_uses().values()
    activity.close()
    assert (use.address, use.user_agent) == ("192.0.2.7", "Okta SCIM Client 1.0.0")
    assert before <= use.at <= datetime.now(UTC)


def test_uses_are_written_while_the_service_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.scim.usage._EVERY", 0.001)
    written = []
    monkeypatch.setattr(Activity, "note", lambda _, uses, walks: written.append(list(uses)))

    async def run() -> None:
        usage = Usage(store.url)
        async with usage.written():
            for token_id in (1, 2):
                usage.note(token_id, "192.0.2.7", b"\xff")
                while len(written) < token_id:
                    await asyncio.sleep(0.001)

    asyncio.run(run())
    assert [[use.token_id for use in uses] for uses in written] == [[1], [2]]


def test_a_use_that_cannot_be_noted_stops_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(Activity, "note", full)

    async def run() -> None:
        usage = Usage(store.url)
        async with usage.written():
            usage.note(1, "192.0.2.7", b"")

    with capture_logs() as logged:
        asyncio.run(run())
    assert [line["reason"] for line in logged] == ["the disk is full"]
