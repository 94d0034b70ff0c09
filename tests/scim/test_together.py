"""Requests that come in together share one look at what was published, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.model import Latest
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, tokens
from bridge.store.pages import Pages
from tests.scim.conftest import Client, Reply
from tests.store.company import Company


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    company = Company(store)
    with company.publication() as p:
        p.put_users(company.source, [company.write("p0", title="old")])
        p.open_serving()
    yield company
    store.close()


@pytest.fixture
def ask(company: Company) -> Client:
    with company.store.write() as c:
        token = tokens.create(c, "okta", None, datetime.now(UTC))[1]
    settings = Settings(public_url="https://bridge.example")
    return Client(application(company.store, settings), token)


def users(ask: Client) -> asyncio.Task[Reply]:
    headers = [(b"authorization", f"Bearer {ask.token}".encode())]
    request = ask.sent(method="GET", path="/scim/v2/Users", query_string=b"", headers=headers)
    return asyncio.get_running_loop().create_task(request)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Latest | None]:
    """Every look at what was published last."""
    looked: list[Latest | None] = []
    latest = Pages.latest

    def noted(pages: Pages) -> Latest | None:
        looked.append(latest(pages))
        return looked[-1]

    monkeypatch.setattr(Pages, "latest", noted)
    return looked


def test_requests_that_come_in_together_look_once(ask: Client, looks: list[Latest | None]) -> None:
    async def requests() -> list[Reply]:
        await users(ask)  # its token is checked in a thread, those of the others no more
        looks.clear()
        return await asyncio.gather(*(users(ask) for _ in range(8)))

    with capture_logs() as logs:
        replies = asyncio.run(requests())
    assert {reply.status for reply in replies} == {200}
    assert len(looks) == 1
    assert [line["route"] for line in logs] == ["/scim/v2/Users"] * 9


def test_who_asks_after_a_publication_sees_it(ask: Client, company: Company) -> None:
    async def requests() -> None:
        for title in ("new", "newer", "newest"):
            before = await asyncio.gather(users(ask), users(ask))
            company.pass_time(seconds=1)
            company.publish(company.write("p0", title=title))
            after = await asyncio.gather(users(ask), users(ask))
            assert all(f'"title":"{title}"'.encode() not in reply.body for reply in before)
            assert all(f'"title":"{title}"'.encode() in reply.body for reply in after)

    asyncio.run(requests())
