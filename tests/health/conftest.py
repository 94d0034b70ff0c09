"""A company that is served, and the web role with its health beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bridge.health.routes import Health
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, lease, records, tokens, watch
from bridge.store.records import Seen
from tests import asgi
from tests.store.company import Company, entry

HOUR = timedelta(hours=1)


@dataclass
class World:
    """Ann is active and Ben is not; everything was read just now, and a daemon leads."""

    company: Company
    token: str
    settings: Settings
    certificate_ends: Callable[[], datetime | None] = lambda: None

    @property
    def store(self) -> Store:
        return self.company.store

    def get(self, path: str, address: str = "127.0.0.1", **headers: str) -> httpx.Response:
        health = Health(self.store, self.settings, self.certificate_ends)
        app = application(
            self.store,
            self.settings,
            routes=health.routes(),
            needs_token=health.needs_token,
            observe=health.observe,
        )
        with asgi.client(app, "", address) as client:
            client.headers = httpx.Headers(headers)
            client.get("/scim/v2/Nobody")
            client.get("/scim/v2/Users?count=1", headers={"Authorization": self.token})
            return client.get(path)

    def figures(self) -> Mapping[str, float]:
        lines = self.get("/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def reasons(self) -> list[str]:
        answer = self.get("/healthz/fresh", "203.0.113.7")
        body = answer.json()
        assert (answer.status_code, body["fresh"]) == (
            (503, False) if body["reasons"] else (200, True)
        )
        return list(body["reasons"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    company = Company(store)
    now = company.now = datetime.now(UTC)
    with store.write() as c:
        lease.release(c, company.epoch)
        company.epoch = lease.acquire(c, f"{lease.DAEMON} (test)", now, 24 * HOUR)
        _, token = tokens.create(c, "okta", None, now)
    company.save(entry("ann"), entry("ben"))
    with company.publication() as p:
        p.put_users(company.source, [company.write("ann"), company.write("ben", active=False)])
        p.go_live(company.source, "name: hr", {})
        p.first_load_done(company.source)
        p.open_serving()
    with store.write() as c:
        records.finish(c, company.source, 1, Seen(), None, now)
        watch.scheduled(c, company.source, timedelta(minutes=5), now + HOUR)
        watch.read(c, company.source, now, None)
    yield World(company, token, Settings())
    store.close()
