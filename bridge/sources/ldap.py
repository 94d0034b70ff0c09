"""People, and groups, of an LDAP directory: OpenLDAP, 389-DS, FreeIPA and others (RFC 4511).

A complete read walks every page of every base. Between two of them the server is asked what changed
since, deletions and moves included (syncrepl, RFC 4533). Where it does not tell that, only what was
modified since is asked for, by modifyTimestamp; what was deleted or moved away is then found by
complete reads alone.
"""

from __future__ import annotations

import json
import math
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ldap3 import Connection
from pydantic import Field

from bridge.model import Batch, Kind, Verdict, Wanted
from bridge.sources import SourceSettings
from bridge.sources.ldap_connection import connect_to_any
from bridge.sources.ldap_directory import (
    NOTHING_KNOWN,
    DirectorySettings,
    check_named,
    unbroken,
)
from bridge.sources.ldap_entry import MODIFIED, EntryReader
from bridge.sources.ldap_follow import Scope, State
from bridge.sources.ldap_look import skew
from bridge.sources.ldap_search import Search, pages
from bridge.sources.ldap_server import Host
from bridge.sources.ldap_sync import Refused
from bridge.sources.ldap_tls import ends

_STAMP = "%Y%m%d%H%M%S"
_SLOWEST_WRITE = timedelta(seconds=10)


class Settings(DirectorySettings):
    """``type: ldap``."""

    filter: str = Field(
        "(objectClass=inetOrgPerson)",
        description="Which entries are people (RFC 4515). Keep those who are disabled or locked "
        "among them: an `active` rule tells them apart, and then they are seen to go.",
    )
    id: str = Field(
        "entryUUID",
        min_length=1,
        description="The attribute with the server's own unchangeable id; `nsUniqueId` on 389-DS.",
    )


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
        """Read what changed since ``cookie``, or everything."""
        host, connection = connect_to_any(self.settings, self.folder)
        read = _Read(self, host, cookie)
        known = NOTHING_KNOWN if read.since is None else None
        return unbroken(self.settings, self.folder, host, connection, read.walk, known)

    def scope(self) -> Scope:
        """Every search of a complete read; one reader takes all people, one each kind of groups."""
        settings = self.settings
        people = EntryReader((*settings.require, *self.wanted.attributes), settings.id)
        searches = [
            (people, Search(base, settings.filter, people.asked, people.decoder))
            for base in settings.base
        ]
        for section, groups in enumerate(self.wanted.groups):
            reader = EntryReader(groups.attributes, settings.id, Kind.GROUP, section)
            search = Search(groups.base, groups.filter, reader.asked, reader.decoder)
            searches.append((reader, search))
        return Scope(searches, settings.id, settings.page_size)


class _Read:
    """One read of a host, over as many connections as it takes.

    ``since`` is what an earlier one came to, a state or a modifyTimestamp; None where everything
    is to be read.
    """

    def __init__(self, source: LdapSource, host: Host, cookie: bytes | None) -> None:
        self._source = source
        self._asked = [
            (host.url, search.base, search.filter, search.attributes, source.settings.id)
            for _, search in source.scope().searches
        ]
        self.since = self._known(cookie)
        self._first: State | str | None = None

    def walk(self, connection: Connection) -> Iterator[Batch]:
        """The batches of a read over this connection, from the first page on."""
        if isinstance(self.since, State):
            try:
                yield from self._follow(connection, self.since)
                return
            except Refused:
                self.since = None
        if self.since is None and self._first is None:
            # Once, before anything is read: whoever goes while a read starts over is told after it.
            try:
                self._first = self._source.scope().begin(connection)
            except Refused:
                self._first = ""
        yield from self._pages(connection, self.since)

    def _follow(self, connection: Connection, since: State) -> Iterator[Batch]:
        scope = self._source.scope()
        changes = scope.follow(connection, since)
        for keys in changes.present:
            yield Batch(present=keys)
        for entries in changes.entries:
            yield Batch(entries)
        yield Batch(
            gone=sorted(changes.gone),
            outside=sorted(changes.outside),
            cookie=self._cookie(changes.state),
            verdict=Verdict(complete=True, whole=changes.whole),
            certificate_ends=ends(connection),
            skew=skew(connection),
        )

    def _pages(self, connection: Connection, since: str | None) -> Iterator[Batch]:
        """Everything, or what was modified ``since``."""
        scope = self._source.scope()
        clock = _ServerClock(since)
        for reader, search in scope.searches:
            asked = search if since is None else search.narrowed(f"({MODIFIED}>={since}Z)")
            for page in pages(connection, asked, scope.page_size, scope.bases):
                entries = reader.take(page)
                clock.saw(reader.newest)
                yield Batch(entries, cookie=NOTHING_KNOWN if since is None else None)
        readers = {reader for reader, _ in scope.searches}
        check_named(sum(reader.unnamed for reader in readers), scope.id)
        following = NOTHING_KNOWN
        if since is None and isinstance(self._first, State):
            following = self._cookie(self._first)
        elif clock.is_known() and not any(reader.undated for reader in readers):
            following = self._cookie(clock.start)
        yield Batch(
            cookie=following,
            verdict=Verdict(complete=True, whole=since is None),
            certificate_ends=ends(connection),
            skew=skew(connection),
        )

    def _known(self, cookie: bytes | None) -> State | str | None:
        """What a cookie stands for; None unless it fits this host and these settings."""
        since: State | str
        try:
            known = json.loads(cookie or b"")
            if "cookies" in known:
                cookies = tuple(map(b64decode, known["cookies"]))
                since = State(cookies, tuple(known["seen"]), known["units"])
            else:
                since = datetime.strptime(known["since"], _STAMP).strftime(_STAMP)
        except (ValueError, KeyError, TypeError):
            return None
        return since if self._cookie(since) == cookie else None

    def _cookie(self, since: State | str) -> bytes:
        said: dict[str, Any] = {"since": since}
        if isinstance(since, State):
            said = {"cookies": [b64encode(each).decode() for each in since.cookies],
                    "seen": since.seen, "units": since.units}  # fmt: skip
        # Of all of it, so that a damaged one is known as such.
        digest = blake2b(f"{self._asked!r}\n{said!r}".encode(), digest_size=16).hexdigest()
        return json.dumps({**said, "settings": digest}).encode()


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
