"""A small company in a store, for the tests: writes what a sync would write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from bridge.filter import Attribute, Compare, Op
from bridge.model import Entry, Kind, Link, Served, resource_id
from bridge.store import Publication, Store, UserWrite, lease, records, resources, sources

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def entry(key: str, **attributes: Any) -> Entry:
    """An entry whose fingerprint follows its attributes."""
    print_ = blake2b(repr(sorted(attributes.items())).encode(), digest_size=16).digest()
    return Entry(key, attributes, print_)


def equal(name: str, value: str, exact: bool = False) -> Compare:
    """The filter ``name eq "value"``."""
    return Compare(Attribute((name,), exact=exact), Op.EQ, value)


class Company:
    """A store with one source, ``hr``, whose lease this process holds; time passes by hand."""

    def __init__(self, store: Store, name: str = "hr") -> None:
        self.store = store
        self.name = name
        self.now = NOON
        with store.write() as c:
            source = sources.register(c, name, f"{name}.yaml").id
            assert source is not None
            self.source = source
            if lease.current(c, self.now) is None:
                self.epoch = lease.acquire(c, "this", self.now, timedelta(days=1000))

    def clock(self) -> datetime:
        return self.now

    def pass_time(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def save(self, *entries: Entry, person: str | None = None, run: int = 1) -> None:
        """Read these entries; each is a person of its own, unless ``person`` says whose."""
        with self.store.write() as c:
            rows = [(one, person or one.record_key) for one in entries]
            records.save(c, self.source, run, rows, [], None, self.now)

    def due(self) -> list[str]:
        with self.store.read() as c:
            return records.due(c, self.source, self.now)

    @contextmanager
    def publication(self, run_id: int = 1) -> Iterator[Publication]:
        with self.store.publication(epoch=self.epoch, run_id=run_id, now=self.clock) as p:
            yield p

    def served(self, key: str) -> Served | None:
        with self.store.read() as c:
            return resources.served(c, self.source, [key]).get(key)

    def write(
        self,
        key: str,
        user_name: str | None = None,
        *,
        active: bool = True,
        links: Iterable[Link] = (),
        groups: Iterable[str] = (),
        **attributes: Any,
    ) -> UserWrite:
        """What a decision would write of a person, compared with what is served now."""
        user_name = user_name or f"{key}@example.com"
        id = resource_id(Kind.USER, self.name, key)
        emails = attributes.get("emails", ())
        body = {"userName": user_name, "active": active, **attributes}
        return UserWrite(
            before=self.served(key),
            key=key,
            id=id,
            user_name=user_name,
            external_id=attributes.get("externalId"),
            email=next((e["value"] for e in emails if e.get("primary")), user_name),
            active=active,
            reason="employed" if active else "last day has passed",
            document=resources.render(id, Kind.USER, body),
            links=tuple(links),
            groups=frozenset(groups),
        )

    def publish(self, *writes: UserWrite, groups: Mapping[str, str] | None = None) -> int | None:
        """Publish these people and return the publication's number."""
        with self.publication() as p:
            p.put_groups(self.source, groups or {})
            p.put_users(self.source, writes)
            p.drop_empty_groups(self.source)
        return p.number
