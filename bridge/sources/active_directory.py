"""People, and groups, of an Active Directory domain, or of a Samba one.

A complete read walks every page of every base. Between two of them the controller is asked for what
changed since, all over the domain; each object that did is read again, whole and by its GUID, and
whoever is then no longer found where people are has gone. What changed is told in one controller's
own terms ([MS-ADTS] 3.1.1.1.9), so a cookie is good for that controller alone, in the state that it
was in, and for a month: what is deleted is remembered for two at least.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from ldap3 import Connection
from pydantic import Field

from bridge import dn
from bridge.model import Batch, Kind, Verdict, Wanted
from bridge.sources import SourceSettings
from bridge.sources.active_directory_changes import (
    Changed,
    Point,
    Refused,
    among,
    begin,
    changes,
    followed,
)
from bridge.sources.active_directory_controller import (
    Controller,
    controller_of,
    password_end,
)
from bridge.sources.active_directory_entry import (
    EXTENDED_DN,
    ID,
    PRIMARY_GROUP,
    AdReader,
    PersonReader,
)
from bridge.sources.ldap_connection import connect_to_any
from bridge.sources.ldap_directory import (
    NOTHING_KNOWN,
    DirectorySettings,
    check_named,
    unbroken,
)
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import skew
from bridge.sources.ldap_search import Search, pages
from bridge.sources.ldap_tls import ends

_GOOD_FOR = timedelta(days=30)
_STAMP = "%Y%m%d%H%M%S"


class Settings(DirectorySettings):
    """``type: active-directory``."""

    filter: str = Field(
        "(&(objectCategory=person)(objectClass=user))",
        description="Which entries are people (RFC 4515). Keep those who are disabled among them: "
        "an `active` rule tells them apart, and then they are seen to go.",
    )


def open(settings: SourceSettings, folder: Path, wanted: Wanted = Wanted()) -> AdSource:  # noqa: B008
    """A source that asks for exactly the attributes and groups that are wanted."""
    assert isinstance(settings, Settings)
    return AdSource(settings, folder, wanted)


@dataclass(frozen=True, slots=True)
class AdSource:
    """A domain, asked for people first and then for each kind of groups."""

    settings: Settings
    folder: Path
    wanted: Wanted

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        """Read what changed since ``cookie``, or everything."""
        host, connection = connect_to_any(self.settings, self.folder)
        broke_off = False

        def walk(connection: Connection) -> Iterator[Batch]:
            # Another controller may answer at the same address after a lost connection.
            controller = controller_of(connection)
            since = self._since(cookie, controller)
            if since is not None:
                return self._changes(connection, controller, since)
            point = Point(controller.usn)
            nonlocal broke_off
            if controller.identity and not broke_off:
                # Where this is what breaks the connection, the next try does without it.
                broke_off = True
                point = begin(connection, controller)
                broke_off = False
            return self._everything(connection, controller, point)

        return unbroken(self.settings, self.folder, host, connection, walk, None)

    def _everything(
        self, connection: Connection, controller: Controller, point: Point
    ) -> Iterator[Batch]:
        unnamed = 0
        for reader, search in self._searches():
            before = reader.unnamed
            for page in pages(connection, search, self.settings.page_size, bases=()):
                yield Batch(reader.take_whole(page, connection), cookie=NOTHING_KNOWN)
            unnamed += reader.unnamed - before
        check_named(unnamed, ID)
        yield Batch(
            cookie=self._cookie(point, controller.clock, controller),
            verdict=Verdict(complete=True, whole=True),
            certificate_ends=ends(connection),
            password_ends=password_end(connection, controller),
            skew=skew(connection),
        )

    def _changes(
        self, connection: Connection, controller: Controller, since: Point
    ) -> Iterator[Batch]:
        size = self.settings.page_size
        try:
            changed = changes(connection, controller, since, self._followed(), size)
        except Refused:
            # Told by numbers from now on, as whatever was wrong may be so again.
            yield from self._everything(connection, controller, Point(controller.usn))
            return
        if changed.more:
            yield from self._everything(connection, controller, changed.until)
            return
        found: set[str] = set()
        for reader, search in self._searches(changed):
            for page in pages(connection, search, size, bases=()):
                entries = reader.take_whole(page, connection)
                found.update(entry.record_key for entry in entries)
                yield Batch(entries)
            check_named(reader.unnamed, ID)
        left = changed.places.keys() - self._unseen(connection, controller, changed, found)
        yield Batch(
            gone=sorted(self._keys(left) - found),
            outside=sorted(self._keys(id for id in left if changed.places[id]) - found),
            cookie=self._cookie(changed.until, controller.clock, controller),
            verdict=Verdict(complete=True),
            certificate_ends=ends(connection),
            password_ends=password_end(connection, controller),
            skew=skew(connection),
        )

    def _keys(self, ids: Iterable[str]) -> set[str]:
        """Every record key that something with one of these ids may have."""
        before = ["", *(f"group {section} " for section in range(len(self.wanted.groups)))]
        return {f"{each}{id}" for id in ids for each in before}

    def _unseen(
        self,
        connection: Connection,
        controller: Controller,
        changed: Changed,
        found: Collection[str],
    ) -> set[str]:
        """What changed and is where people or groups are, but is not shown: whoever lost the right
        to read does not see that somebody left."""
        known = {key.rpartition(" ")[2] for key in found}
        bases = tuple(self._bases())
        unseen = {
            id
            for id, place in changed.places.items()
            if place and id not in known and any(_may_be_under(place, base) for base in bases)
        }
        reader = EntryReader((), ID)
        for chosen in among(unseen.copy()):
            search = Search(controller.domain, chosen, [ID], reader.decoder)
            for page in pages(connection, search, self.settings.page_size, bases=()):
                unseen.difference_update(entry.record_key for entry in reader.take(page))
        return unseen

    def _searches(self, changed: Changed | None = None) -> Iterator[tuple[AdReader, Search]]:
        """Every search, or each as often as it takes to find all of what changed."""
        settings = self.settings
        wanted = {*settings.require, *self.wanted.attributes}
        people = PersonReader(wanted) if self.wanted.groups else AdReader(wanted, ID)
        parts = [(people, base, settings.filter) for base in settings.base]
        for section, groups in enumerate(self.wanted.groups):
            reader = AdReader(groups.attributes, ID, Kind.GROUP, section)
            parts.append((reader, groups.base, groups.filter))
        for reader, base, filter in parts:
            search = Search(base, filter, reader.asked, reader.decoder, (EXTENDED_DN,))
            if changed is None:
                yield reader, search
                continue
            for chosen in among(changed.places):
                yield reader, search.narrowed(chosen)

    def _followed(self) -> list[str]:
        wanted = {*self.settings.require, *self.wanted.attributes}
        for groups in self.wanted.groups:
            wanted |= {PRIMARY_GROUP, *groups.attributes}
        return followed(wanted, (search.filter for _, search in self._searches()))

    def _since(self, cookie: bytes | None, controller: Controller) -> Point | None:
        """What a cookie stands for; None unless it is this controller's, in this state, not too
        old, and of these settings."""
        try:
            known = json.loads(cookie or b"")
            point = Point(known["usn"], b64decode(known["dirsync"]))
            at = datetime.strptime(known["at"], _STAMP)
            now = datetime.strptime(controller.clock, _STAMP)
        except (ValueError, KeyError, TypeError):
            return None
        if type(point.usn) is not int or self._cookie(point, known["at"], controller) != cookie:
            return None
        inside = all(dn.is_under(base, controller.domain) for base in self._bases())
        # A controller that went back in time without saying so has fewer changes than before.
        good = point.usn <= controller.usn and abs(now - at) < _GOOD_FOR
        return point if inside and good else None

    def _bases(self) -> Iterator[str]:
        yield from self.settings.base
        yield from (groups.base for groups in self.wanted.groups)

    def _cookie(self, point: Point, at: str, controller: Controller) -> bytes:
        if not controller.identity:
            return NOTHING_KNOWN
        told = {"usn": point.usn, "dirsync": b64encode(point.dirsync).decode(), "at": at}
        asked = [(search.base, search.filter, search.attributes) for _, search in self._searches()]
        bound = f"{controller.identity}\n{asked!r}\n{told!r}".encode()
        return json.dumps({**told, "bound": blake2b(bound, digest_size=16).hexdigest()}).encode()


def _may_be_under(place: str, base: str) -> bool:
    try:
        return dn.is_under(place, base)
    except ValueError:
        return True
