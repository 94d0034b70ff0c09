"""People, and groups, of an LDAP directory: OpenLDAP, 389-DS, FreeIPA and others (RFC 4511).

A complete read walks every page of every base. Between two of them only what was modified since is
asked for, by modifyTimestamp; what was deleted or moved away is found by complete reads alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from ldap3 import Connection
from pydantic import Field

from bridge.model import Batch, Kind, Verdict, Wanted
from bridge.sources import SourceSettings
from bridge.sources.ldap_connection import Host, connect_to_any
from bridge.sources.ldap_directory import (
    NOTHING_KNOWN,
    DirectorySettings,
    check_named,
    unbroken,
)
from bridge.sources.ldap_entry import MODIFIED, EntryReader
from bridge.sources.ldap_search import Search, pages
from bridge.sources.ldap_tls import ends

_STAMP = "%Y%m%d%H%M%S"
_SLOWEST_WRITE = timedelta(seconds=10)


class Settings(DirectorySettings):
    """``type: ldap``."""

    filter: str = "(objectClass=inetOrgPerson)"
    """Which entries are people (RFC 4515). Keep those who are disabled or locked among them: an
    ``active`` rule tells them apart, and then they are seen to go."""
    id: str = Field("entryUUID", min_length=1)
    """The attribute with the server's own unchangeable id; ``nsUniqueId`` on 389-DS."""


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
        """Read what was modified since ``cookie``, or everything."""
        host, connection = connect_to_any(self.settings, self.folder)
        since = self._since(cookie, host)
        known = NOTHING_KNOWN if since is None else None

        def walk(connection: Connection) -> Iterator[Batch]:
            return self._walk(connection, host, since, known)

        return unbroken(self.settings, self.folder, host, connection, walk, known)

    def _walk(
        self, connection: Connection, host: Host, since: str | None, known: bytes | None
    ) -> Iterator[Batch]:
        clock = _ServerClock(since)
        bases = (*self.settings.base, *(groups.base for groups in self.wanted.groups))
        readers = []
        for reader, search in self._searches(since):
            readers.append(reader)
            for page in pages(connection, search, self.settings.page_size, bases):
                entries = reader.take(page)
                clock.saw(reader.newest)
                yield Batch(entries, cookie=known)
        check_named(sum(reader.unnamed for reader in set(readers)), self.settings.id)
        undated = any(reader.undated for reader in readers)
        next_cookie = NOTHING_KNOWN
        if clock.is_known() and not undated:
            next_cookie = self._cookie(clock.start, host)
        yield Batch(
            cookie=next_cookie,
            verdict=Verdict(complete=True, whole=since is None),
            certificate_ends=ends(connection),
        )

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
