"""People, and groups, of an LDAP directory: OpenLDAP, 389-DS, FreeIPA and others (RFC 4511).

A complete read walks every page of every base. Between two of them only what was modified since is
asked for, by modifyTimestamp; what was deleted or moved away is found by complete reads alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ldap3 import Connection
from pydantic import Field, field_validator

from bridge import dn
from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Batch, Kind, Verdict, Wanted
from bridge.sources import SourceSettings
from bridge.sources.ldap_connection import (
    ConnectionSettings,
    Host,
    close,
    connect,
    connect_to_any,
)
from bridge.sources.ldap_entry import MODIFIED, EntryReader
from bridge.sources.ldap_search import ConnectionLost, Search, is_filter, pages

_STAMP = "%Y%m%d%H%M%S"
_RESTARTS = 2
_SLOWEST_WRITE = timedelta(seconds=10)

# True of a store that took in a part of a read: whatever comes next has to be read whole.
_NOTHING_KNOWN = b"{}"


class Settings(ConnectionSettings):
    """``type: ldap``."""

    asked = True

    base: tuple[str, ...] = Field(min_length=1)
    """The DN under which people are, at any depth; or a list of such DNs."""
    filter: str = "(objectClass=inetOrgPerson)"
    """Which entries are people (RFC 4515). Keep those who are disabled or locked among them: an
    ``active`` rule tells them apart, and then they are seen to go."""
    id: str = Field("entryUUID", min_length=1)
    """The attribute with the server's own unchangeable id; ``nsUniqueId`` on 389-DS."""
    page_size: int = Field(1000, ge=1, le=1000)
    """How many entries are asked for at a time."""

    @field_validator("base", mode="before")
    @classmethod
    def _one_base_is_a_list_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("base")
    @classmethod
    def _bases_stand_apart(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for base in value:
            if not base.strip():
                raise ValueError("is empty")
            try:
                dn.normal(base)
            except ValueError as error:
                raise ValueError(f"{base!r} is {error}") from None
        for base in value:
            if sum(dn.is_under(base, other) for other in value) > 1:
                raise ValueError(f"{base!r} is within another base")
        return value

    @field_validator("filter")
    @classmethod
    def _filter_is_one(cls, value: str) -> str:
        if not is_filter(value):
            raise ValueError("is no filter such as (objectClass=inetOrgPerson)")
        return value.strip()

    def own_names(self) -> frozenset[str]:
        return frozenset({"dn"})


def open(settings: SourceSettings, folder: Path, wanted: Wanted = Wanted()) -> LdapSource:  # noqa: B008
    """A source that asks for exactly the attributes and groups that are wanted."""
    assert isinstance(settings, Settings)
    return LdapSource(settings, folder, wanted)


@dataclass(frozen=True, slots=True)
class LdapSource:
    """A directory, asked for people first and then for each kind of groups."""

    settings: Settings
    folder: Path
    wanted: Wanted

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        """Read what was modified since ``cookie``, or everything.

        A connection lost in mid-read starts again at the first page, twice at most and on the
        same host: what was read before may come again, and only one unbroken walk is believed.
        """
        host, connection = connect_to_any(self.settings, self.folder)
        since = self._since(cookie, host)
        try:
            for attempt in range(_RESTARTS + 1):
                try:
                    yield from self._walk(connection, host, since)
                    return
                except ConnectionLost as error:
                    close(connection)
                    reason = str(error)
                if attempt < _RESTARTS:
                    try:
                        connection = connect(self.settings, self.folder, host)
                    except SourceUnavailable as error:
                        reason = f"{reason}, and again: {error}"
                        break
            known = _NOTHING_KNOWN if since is None else None
            yield Batch(cookie=known, verdict=Verdict(complete=False, reason=reason))
        finally:
            close(connection)

    def _walk(self, connection: Connection, host: Host, since: str | None) -> Iterator[Batch]:
        """Every page of every search, then the verdict. Raises `ConnectionLost`."""
        known = _NOTHING_KNOWN if since is None else None
        clock = _ServerClock(since)
        bases = (*self.settings.base, *(groups.base for groups in self.wanted.groups))
        readers = []
        try:
            for reader, search in self._searches(since):
                readers.append(reader)
                for page in pages(connection, search, self.settings.page_size, bases):
                    entries = reader.take(page)
                    clock.saw(reader.newest)
                    yield Batch(entries, cookie=known)
            self._check_named(readers)
        except IncompleteRead as error:
            yield Batch(cookie=known, verdict=Verdict(complete=False, reason=str(error)))
            return
        undated = any(reader.undated for reader in readers)
        next_cookie = _NOTHING_KNOWN
        if clock.is_known() and not undated:
            next_cookie = self._cookie(clock.start, host)
        yield Batch(cookie=next_cookie, verdict=Verdict(complete=True, whole=since is None))

    def _searches(self, since: str | None) -> Iterator[tuple[EntryReader, Search]]:
        settings = self.settings
        people = EntryReader((*settings.require, *self.wanted.attributes), settings.id)
        for base in settings.base:
            yield (
                people,
                Search(base, _modified(settings.filter, since), people.asked, people.decoder),
            )
        for section, groups in enumerate(self.wanted.groups):
            reader = EntryReader(groups.attributes, settings.id, Kind.GROUP, section)
            yield (
                reader,
                Search(groups.base, _modified(groups.filter, since), reader.asked, reader.decoder),
            )

    def _check_named(self, readers: Sequence[EntryReader]) -> None:
        if count := sum(reader.unnamed for reader in set(readers)):
            raise IncompleteRead(
                f"{count} entries do not have exactly one {self.settings.id}, so that nobody can "
                "say who they are: is `id` right for this server, and may `bind_dn` read it?"
            )

    def _since(self, cookie: bytes | None, host: Host) -> str | None:
        """The stamp that a cookie stands for; None unless it fits this host and these settings."""
        try:
            known = json.loads(cookie or b"")
            since = datetime.strptime(known["since"], _STAMP).strftime(_STAMP)
        except (ValueError, KeyError, TypeError):
            return None
        return since if self._cookie(since, host) == cookie else None

    def _cookie(self, since: str, host: Host) -> bytes:
        asked = [
            (search.base, search.filter, search.attributes, self.settings.id)
            for _, search in self._searches(None)
        ]
        digest = blake2b(f"{host.url}\n{asked!r}".encode(), digest_size=16).hexdigest()
        return json.dumps({"since": since, "settings": digest}).encode()


def _modified(filter: str, since: str | None) -> str:
    return filter if since is None else f"(&{filter}({MODIFIED}>={since}Z))"


class _ServerClock:
    """What the server's clock showed, at least, when a walk began: whatever is modified after
    the walk passed it carries that stamp or a later one.

    An entry that arrives s seconds into the walk was modified before it arrived, so the clock had
    reached its stamp by then, and its stamp less s when the walk began. Only the server's stamps
    and the length of the walk go into it. A change may be seen some seconds after its stamp: until
    then it waits for others to be written. The time of this machine is only asked whether a stamp
    is far in the future, such as an imported one: after it no change would ever be seen.
    """

    def __init__(self, start: str | None) -> None:
        self.start = start or ""
        self._begun = time.monotonic()

    def saw(self, stamp: str) -> None:
        """Take in the newest stamp of a page that has just arrived."""
        try:
            moment = datetime.strptime(stamp, _STAMP)
        except ValueError:
            return
        elapsed = timedelta(seconds=math.ceil(time.monotonic() - self._begun))
        self.start = max(self.start, (moment - elapsed - _SLOWEST_WRITE).strftime(_STAMP))

    def is_known(self) -> bool:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        return "" < self.start < tomorrow.strftime(_STAMP)
