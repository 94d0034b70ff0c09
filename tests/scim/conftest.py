"""A small company, published into a real store, and a way to ask its web role."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from bridge.model import Kind, resource_id
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, UserWrite, lease, resources, sources, tokens

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BASE = "https://bridge.example/scim/v2"
CUSTOM = "urn:ietf:params:scim:schemas:extension:example:2.0:User"
PEOPLE = (
    ("P1", "anna", True, "sales"),
    ("P2", "ben", True, "dev"),
    ("P3", "jörg", True, "sales"),
    ("P4", "zoe", False, None),
)
GROUPS = {"old": "Department-Old", "sales": "Department-Sales", "dev": "Department-開発"}


@dataclass(frozen=True)
class Reply:
    """An answer, as it went out."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Client:
    """Sends requests as they stand, byte for byte, without a server or an HTTP library."""

    app: Starlette
    token: str = ""
    address: str = "192.0.2.1"
    ids: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        target: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        if headers is None:
            headers = {"Authorization": f"Bearer {self.token}"}
        raw_path, _, raw_query = target.partition("?")
        return self.send(
            method=method,
            path=unquote(raw_path),
            query_string=raw_query.encode(),
            headers=[(k.lower().encode(), v.encode()) for k, v in headers.items()],
            body=body,
        )

    def send(self, **parts: Any) -> Reply:
        return asyncio.run(self.sent(**parts))

    async def sent(self, body: bytes = b"", **parts: Any) -> Reply:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "client": (self.address, 50000),
            "server": ("bridge.example", 443),
            **parts,
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, *bodies = sent
        return Reply(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(message["body"] for message in bodies),
        )


@pytest.fixture
def settings() -> Settings:
    return Settings(public_url="https://bridge.example")


@dataclass(frozen=True)
class Template:
    """Two stores to copy for each test, one before and one after the first publication."""

    empty: Path
    published: Path
    token: str
    ids: dict[str, str]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("template")
    empty, published = folder / "empty.db", folder / "published.db"
    store = Store.open(f"sqlite:///{empty}")
    with store.write() as c:
        _, token = tokens.create(c, "okta", None, datetime.now(UTC))
    store.close()
    shutil.copy(empty, published)
    store = Store.open(f"sqlite:///{published}")
    ids = publish(store)
    store.close()
    return Template(empty, published, token, ids)


@pytest.fixture
def store(template: Template, tmp_path: Path) -> Iterator[Store]:
    """The store of the published company."""
    yield from copied(template.published, tmp_path)


@pytest.fixture
def ask(template: Template, store: Store, settings: Settings) -> Client:
    """The web role of the published company."""
    return Client(application(store, settings), template.token, ids=template.ids)


@pytest.fixture
def unpublished(template: Template, tmp_path: Path, settings: Settings) -> Iterator[Client]:
    """The web role before the first load was approved."""
    for store in copied(template.empty, tmp_path):
        yield Client(application(store, settings), template.token)


def copied(template: Path, folder: Path) -> Iterator[Store]:
    """A store of a template's state, in a folder of its own."""
    shutil.copy(template, folder / "bridge.db")
    store = Store.open(f"sqlite:///{folder}/bridge.db")
    yield store
    store.close()


def publish(store: Store) -> dict[str, str]:
    """Publish everybody, then take the old department away; the ids by name."""
    people = {person[1]: _person(*person) for person in PEOPLE}
    memberships = {name: {group} for _, name, _, group in PEOPLE if group}
    schema = {"name": "startDate", "type": "string", "multiValued": False}
    return serve(store, people, GROUPS, memberships, {CUSTOM: [schema]})


def serve(
    store: Store,
    people: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, str] = MappingProxyType({}),
    memberships: Mapping[str, set[str]] = MappingProxyType({}),
    schemas: Mapping[str, list[dict[str, Any]]] = MappingProxyType({}),
) -> dict[str, str]:
    """Publish people and groups into an empty store; the ids by name.

    People are SCIM attributes by a name for them, groups display names by key, of which those
    that nobody of ``memberships`` is in are taken away again.
    """
    ids = {
        name: resource_id(Kind.USER, "hr", person["externalId"]) for name, person in people.items()
    }
    ids |= {key: resource_id(Kind.GROUP, "hr", key) for key in groups}
    with store.write() as c:
        source = sources.register(c, "hr", "hr.yaml").id or 0
        epoch = lease.acquire(c, "test", NOW)
    moments = iter(NOW + timedelta(minutes=n) for n in range(100))
    now: Callable[[], datetime] = lambda: next(moments)  # noqa: E731
    with store.publication(epoch=epoch, run_id=1, now=now) as p:
        p.put_groups(source, groups)
        p.put_users(
            source,
            [
                _write(ids[name], person, memberships.get(name, ()))
                for name, person in people.items()
            ],
        )
        p.go_live(source, "name: hr", schemas)
        p.first_load_done(source)
        p.open_serving()
    with store.publication(epoch=epoch, run_id=2, now=now) as p:
        empty = set(groups).difference(*memberships.values())
        assert set(p.drop_empty_groups(source)) == empty
    return ids


def _person(key: str, name: str, active: bool, _: str | None) -> dict[str, Any]:
    user_name = f"{name}@example.com"
    return {
        "userName": user_name,
        "externalId": key,
        "name": {"givenName": name.title(), "familyName": "Example"},
        "emails": [{"value": user_name, "primary": True}],
        "active": active,
        CUSTOM: {"startDate": "2020-01-01"},
    }


def _write(id: str, attributes: Mapping[str, Any], groups: Iterable[str]) -> UserWrite:
    emails = [email["value"] for email in attributes.get("emails", ()) if email.get("primary")]
    return UserWrite(
        before=None,
        key=attributes["externalId"],
        id=id,
        user_name=attributes["userName"],
        external_id=attributes["externalId"],
        email=emails[0] if emails else None,
        active=attributes["active"],
        reason="employed" if attributes["active"] else "last day has passed",
        document=resources.render(id, Kind.USER, attributes),
        groups=frozenset(groups),
    )
