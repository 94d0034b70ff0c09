"""People, and groups, of an Active Directory domain, or of a Samba one.

A complete read walks every page of every base. Between two of them the controller is asked for what
it changed since, by uSNChanged, all over the domain and among what was deleted: whoever changed and
is no longer found where people are has gone. Such numbers are one controller's own ([MS-ADTS]
3.1.1.1.9), so a cookie is good for that controller alone, in the state that it was in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from ldap3 import Connection

from bridge import dn
from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Batch, Entry, Kind, Verdict, Wanted
from bridge.sources import SourceSettings
from bridge.sources.ldap_connection import close, connect_to_any
from bridge.sources.ldap_decode import Field
from bridge.sources.ldap_directory import (
    NOTHING_KNOWN,
    DirectorySettings,
    check_named,
    unbroken,
)
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import look
from bridge.sources.ldap_search import ConnectionLost, Search, pages
from bridge.sources.ldap_tls import ends

ID = "objectGUID"
_CHANGED = "uSNChanged"
_CLASS = "objectClass"
# Every DN with its GUID and SID before it: [MS-ADTS] 3.1.1.3.4.1.5; the value is SEQUENCE { 1 }.
_EXTENDED_DN = ("1.2.840.113556.1.4.529", True, b"\x30\x03\x02\x01\x01")
_EXTENDED = re.compile(r"<GUID=([0-9a-fA-F-]{36})>;(?:<SID=[^>]*>;)?(.*)", re.DOTALL)
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)  # [MS-ADTS] 3.1.1.3.4.1.14
_RANGE = ";range="
# What is in one of these changes its DN with it, and no number of its own.
_CONTAINERS = frozenset({"organizationalUnit", "container"})


class Settings(DirectorySettings):
    """``type: active-directory``."""

    filter: str = "(&(objectCategory=person)(objectClass=user))"
    """Which entries are people (RFC 4515). Keep those who are disabled among them: an ``active``
    rule tells them apart, and then they are seen to go."""


def open(settings: SourceSettings, folder: Path, wanted: Wanted = Wanted()) -> AdSource:  # noqa: B008
    """A source that asks for exactly the attributes and groups that are wanted."""
    assert isinstance(settings, Settings)
    return AdSource(settings, folder, wanted)


@dataclass(frozen=True, slots=True)
class Controller:
    """Which controller answers, in which state, and the newest change that it has made known.

    ``identity`` is empty where it does not say: nothing of it can be compared with later then.
    """

    identity: str
    usn: int
    domain: str


@dataclass(frozen=True, slots=True)
class AdSource:
    """A domain, asked for people first and then for each kind of groups."""

    settings: Settings
    folder: Path
    wanted: Wanted

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        """Read what changed since ``cookie``, or everything."""
        host, connection = connect_to_any(self.settings, self.folder)
        try:
            controller = controller_of(connection)
        except (IncompleteRead, ConnectionLost) as error:
            close(connection)
            raise SourceUnavailable(f"{host.url}: it does not say who it is: {error}") from None
        since = self._since(cookie, controller)
        known = NOTHING_KNOWN if since is None else None

        def walk(connection: Connection) -> Iterator[Batch]:
            return self._walk(connection, controller, since, known)

        return unbroken(self.settings, self.folder, host, connection, walk, known)

    def _walk(
        self, connection: Connection, controller: Controller, since: int | None, known: bytes | None
    ) -> Iterator[Batch]:
        changed: set[str] = set()
        if since is not None:
            changed, moved = self._changed(connection, controller, since)
            if moved:
                since, known = None, NOTHING_KNOWN
        found: set[str] = set()
        unnamed = 0
        for reader, search in self._searches(since):
            before = reader.unnamed
            for page in pages(connection, search, self.settings.page_size, bases=()):
                entries = [
                    _named_by_guid(self._whole(connection, entry)) for entry in reader.take(page)
                ]
                found.update(entry.record_key for entry in entries)
                yield Batch(entries, cookie=known)
            unnamed += reader.unnamed - before
        check_named(unnamed, ID)
        yield Batch(
            gone=[] if since is None else sorted(self._keys(changed) - found),
            cookie=self._cookie(controller.usn, controller),
            verdict=Verdict(complete=True, whole=since is None),
            certificate_ends=ends(connection),
        )

    def _changed(
        self, connection: Connection, controller: Controller, since: int
    ) -> tuple[set[str], bool]:
        """The ids of everything that changed or was deleted, and whether whole branches may have
        moved."""
        reader = _Reader((_CLASS,), ID)
        search = Search(controller.domain, _newer("(objectClass=*)", since), reader.asked,
                        reader.decoder, (SHOW_DELETED,))  # fmt: skip
        changed: set[str] = set()
        moved = False
        for page in pages(connection, search, self.settings.page_size, bases=()):
            for entry in reader.take(page):
                changed.add(entry.record_key)
                moved |= not _CONTAINERS.isdisjoint(entry.attributes.get(_CLASS, ()))
        check_named(reader.unnamed, ID)
        return changed, moved

    def _keys(self, ids: Iterable[str]) -> set[str]:
        """Every record key that something with one of these ids may have."""
        found = set(ids)
        for section in range(len(self.wanted.groups)):
            found |= {f"group {section} {id}" for id in ids}
        return found

    def _searches(self, since: int | None) -> Iterator[tuple[EntryReader, Search]]:
        settings = self.settings
        people = _Reader((*settings.require, *self.wanted.attributes), ID)
        for base in settings.base:
            filter = _newer(settings.filter, since)
            yield people, Search(base, filter, people.asked, people.decoder, (_EXTENDED_DN,))
        for section, groups in enumerate(self.wanted.groups):
            reader = _Reader(groups.attributes, ID, Kind.GROUP, section)
            filter = _newer(groups.filter, since)
            yield reader, Search(groups.base, filter, reader.asked, reader.decoder, (_EXTENDED_DN,))

    def _whole(self, connection: Connection, entry: Entry) -> Entry:
        """The entry with all values of the attributes of which the controller sent a range."""
        ranged = [name for name in entry.attributes if _RANGE in name]
        if not ranged:
            return entry
        attributes = dict(entry.attributes)
        digest = blake2b(entry.fingerprint, digest_size=16)
        for sent in ranged:
            name, _, range_ = sent.partition(_RANGE)
            first = attributes.pop(sent)
            values = [*first] if isinstance(first, list) else [first]
            values += _rest(connection, _guid(entry), name, range_)
            attributes[name] = values
            for value in sorted(values, key=str):
                digest.update(f"{len(str(value))}:{value}".encode())
        return replace(entry, attributes=attributes, fingerprint=digest.digest())

    def _since(self, cookie: bytes | None, controller: Controller) -> int | None:
        """The number that a cookie stands for; None unless it is this controller's, in this
        state, and of these settings."""
        try:
            since = json.loads(cookie or b"")["usn"]
        except (ValueError, KeyError, TypeError):
            return None
        if type(since) is not int or self._cookie(since, controller) != cookie:
            return None
        # A controller that went back in time without saying so has fewer changes than before.
        inside = all(dn.is_under(base, controller.domain) for base in self._bases())
        return since if inside and since <= controller.usn else None

    def _bases(self) -> Iterator[str]:
        yield from self.settings.base
        yield from (groups.base for groups in self.wanted.groups)

    def _cookie(self, usn: int, controller: Controller) -> bytes:
        if not controller.identity:
            return NOTHING_KNOWN
        asked = [
            (search.base, search.filter, search.attributes) for _, search in self._searches(None)
        ]
        settings = blake2b(f"{controller.identity}\n{asked!r}".encode(), digest_size=16).hexdigest()
        return json.dumps({"usn": usn, "settings": settings}).encode()


class _Reader(EntryReader):
    """Takes a range of an attribute's values for what it is, under its own name."""

    def _field(self, sent: str) -> Field | None:
        name, found, range_ = sent.lower().partition(_RANGE)
        if found and name in self._spellings:
            return Field(f"{self._spellings[name]}{_RANGE}{range_}")
        return super()._field(sent)


def _guid(entry: Entry) -> str:
    return str(UUID(bytes_le=bytes.fromhex(entry.record_key.rpartition(" ")[2])))


def _named_by_guid(entry: Entry) -> Entry:
    """The entry with plain DNs, known by its GUID, and with the GUIDs of whom it names."""
    names: dict[str, str] = {}
    attributes = {name: _plain(value, names) for name, value in entry.attributes.items()}
    return replace(entry, attributes=attributes, names=names, ref=_ref(_guid(entry)))


def _plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_plain(item, names) for item in value]
    if not isinstance(value, str) or (found := _EXTENDED.fullmatch(value)) is None:
        return value
    with suppress(ValueError):  # nobody can refer to what is no DN
        names[dn.normal(found[2])] = _ref(found[1])
    return found[2]


def _ref(guid: str) -> str:
    return f"guid={guid.lower()}"


def controller_of(connection: Connection) -> Controller:
    """Who answers. Raises `IncompleteRead` and `ConnectionLost`."""
    root = look(connection, "", ["dsServiceName", "highestCommittedUSN", "defaultNamingContext"])
    service = _text(root, "dsservicename")
    identity = ""
    if service:
        try:
            shown = look(connection, service, ["invocationId"]).get("invocationid", ())
        except IncompleteRead:
            shown = ()
        identity = f"{service}\n{shown[0].hex()}" if shown else ""
    usn = _text(root, "highestcommittedusn")
    domain = _text(root, "defaultnamingcontext")
    if not usn.isdecimal() or not domain:
        raise IncompleteRead(
            "no highestCommittedUSN or defaultNamingContext: is it Active Directory? (`type: ldap` "
            "reads other directories)"
        )
    return Controller(identity, int(usn), domain)


def _rest(connection: Connection, guid: str, name: str, range_: str) -> Iterator[str | bytes]:
    """The values after a range such as ``0-1499`` ([MS-ADTS] 3.1.1.3.1.3.3)."""
    while not range_.endswith("-*"):
        start = int(range_.rpartition("-")[2]) + 1
        shown = look(connection, f"<GUID={guid}>", [f"{name}{_RANGE}{start}-*"])
        begins = f"{name.lower()}{_RANGE}{start}-"
        got = next(((sent, values) for sent, values in shown.items() if sent.startswith(begins)),
                   None)  # fmt: skip
        if got is None:
            raise IncompleteRead(f"the values of {name} from the {start:,}th on were not sent")
        range_ = got[0].partition(_RANGE)[2]
        for value in got[1]:
            try:
                yield value.decode()
            except UnicodeDecodeError:
                yield value


def _newer(filter: str, since: int | None) -> str:
    return filter if since is None else f"(&{filter}({_CHANGED}>={since + 1}))"


def _text(root: Mapping[str, Any], name: str) -> str:
    values = root.get(name, ())
    return values[0].decode(errors="replace") if values else ""
