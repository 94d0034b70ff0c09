"""A rehearsal of an Okta import: what Okta would create, update and remove, were it to run now.

Okta walks the list by the page it asked for, drops inactive rows before it counts anything, and
takes a linked person who is missing or inactive as removed. A safeguard stops an import that
would remove a fifth of an app with more than 100 people. No Okta is asked and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import sleep
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from bridge.okta.needs import page_faults, row_faults

Profile = Mapping[str, Any]

SAFEGUARD_ABOVE = 100
SAFEGUARD_SHARE = 0.2
_WAITS_AT_MOST = 10
_FIRST_WAIT = 300.0
"""Seconds to the next try where ``Retry-After`` says nothing; then twice as long, and so on."""


@dataclass(frozen=True, slots=True)
class Import:
    """The outcome of one import; people are named by their SCIM ids.

    ``linked`` is what Okta holds afterwards. An import that ``failed`` (the reason) or was
    ``stopped`` by the safeguard left it as it was; ``removed`` then says what would have gone.
    ``violations`` are answers that Okta needs to be otherwise, without anybody's values.
    """

    linked: Mapping[str, Profile]
    created: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()
    scanned: int = 0
    stopped: bool = False
    failed: str = ""
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a client asks, in what clients differ."""

    page_size: int = 100
    plus: bool = False
    """Blanks in a filter as ``+`` instead of ``%20``."""
    count_first: bool = False
    """``count`` before ``startIndex``."""
    waits_on: frozenset[int] = frozenset({429})
    """Status codes after which the same page is asked for again; any other ends the import."""
    wait: Callable[[float], None] = sleep
    """Called with the seconds to wait."""


class _BrokenOff(Exception):
    """The import ends here and changes nothing."""


@dataclass(slots=True)
class _Walk:
    """One walk over the list."""

    client: httpx.Client
    url: str
    token: str
    manner: Manner
    since: datetime | None
    violations: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[Profile]:
        start, total = 1, 1
        while start <= total:
            page = self._page(start)
            self.violations += page_faults(page, start, self.manner.page_size)
            match page:
                case {"Resources": list(rows), "totalResults": int(total)} if _objects(rows):
                    yield from rows
                case _:
                    raise _BrokenOff(f"the page from {start} is not a list answer")
            start += self.manner.page_size  # what was asked for, whatever came

    def _page(self, start: int) -> Mapping[str, Any]:
        wait = _FIRST_WAIT
        for _ in range(_WAITS_AT_MOST):
            try:
                answer = self.client.get(
                    f"{self.url}?{self._query(start)}",
                    headers={"Authorization": f"Bearer {self.token}"},
                )
            except httpx.HTTPError as error:
                kind = type(error).__name__
                raise _BrokenOff(f"no answer to the page from {start}: {kind}") from None
            if answer.status_code == 200:
                return _document(answer, start)
            if answer.status_code not in self.manner.waits_on:
                raise _BrokenOff(f"the page from {start} was answered with {answer.status_code}")
            said = answer.headers.get("retry-after", "")
            self.manner.wait(float(said) if said.isdecimal() else wait)
            wait *= 2
        raise _BrokenOff(f"the page from {start} was put off {_WAITS_AT_MOST} times")

    def _query(self, start: int) -> str:
        parts = [f"startIndex={start}", f"count={self.manner.page_size}"]
        if self.manner.count_first:
            parts.reverse()
        if self.since is not None:
            escape = quote_plus if self.manner.plus else quote
            text = f'meta.lastModified gt "{self.since:%Y-%m-%dT%H:%M:%SZ}"'
            parts.insert(0, f"filter={escape(text)}")
        return "&".join(parts)


def _objects(rows: Sequence[object]) -> bool:
    return all(isinstance(row, dict) for row in rows)


def _document(answer: httpx.Response, start: int) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _BrokenOff(f"the page from {start} is not a JSON object")
    return document


def rehearse(
    client: httpx.Client,
    base: str,
    token: str,
    linked: Mapping[str, Profile],
    *,
    since: datetime | None = None,
    manner: Manner | None = None,
) -> Import:
    """Run an import of the users under ``base`` into an app whose people are ``linked``, by id.

    With ``since`` (UTC) it is an incremental one, in which only a returned row counts. Profiles
    are compared without ``meta``.
    """
    walk = _Walk(client, f"{base.rstrip('/')}/Users", token, manner or Manner(), since)
    rows: dict[str, Profile] = {}
    try:
        for row in walk.rows():
            walk.violations += row_faults(row)
            id = str(row.get("id", ""))
            if id in rows:
                walk.violations.append(f"{id}: came twice")
            rows[id] = {name: value for name, value in row.items() if name != "meta"}
    except _BrokenOff as failure:
        return Import(linked, failed=str(failure), violations=tuple(walk.violations))
    return _outcome(rows, linked, since is None, tuple(walk.violations))


def _outcome(
    rows: Mapping[str, Profile],
    linked: Mapping[str, Profile],
    full: bool,
    violations: Sequence[str],
) -> Import:
    live = {id: row for id, row in rows.items() if row.get("active") is True}
    gone = {id for id in linked if id not in live and (full or id in rows)}
    stopped = len(linked) > SAFEGUARD_ABOVE and len(gone) / len(linked) >= SAFEGUARD_SHARE
    known = live.keys() & linked.keys()
    updated = {id for id in known if live[id] != linked[id]}
    found = Import(
        linked,
        removed=frozenset(gone),
        scanned=len(live),
        stopped=stopped,
        violations=tuple(violations),
    )
    if stopped:
        return found
    return replace(
        found,
        linked={id: row for id, row in {**linked, **live}.items() if id not in gone},
        created=frozenset(live.keys() - linked.keys()),
        updated=frozenset(updated),
        unchanged=frozenset(known - updated),
    )
