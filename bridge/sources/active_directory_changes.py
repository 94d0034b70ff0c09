"""What changed in a domain since it was last read: by DirSync, or by the numbers of changes.

Either way only the GUIDs of what changed come of it, all over the domain and with what was deleted
among them: where it is now, and whether it is wanted at all, is asked about each of them then.

- DirSync ([MS-ADTS] 3.1.1.3.4.1.3) is for accounts that may replicate changes. It tells what
  changed among the attributes that matter, and of a group of 100,000 the members that changed.
- ``uSNChanged`` is for all others. What is deleted shows with [MS-ADTS] 3.1.1.3.4.1.14, to those
  who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

from ldap3 import Connection

from bridge.errors import IncompleteRead
from bridge.model import Entry
from bridge.sources.active_directory_controller import Controller
from bridge.sources.active_directory_entry import ID, plain_dn
from bridge.sources.ldap_decode import Decoded, EntryDecoder, raw_entry
from bridge.sources.ldap_directory import check_named
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_search import Search, ask, pages
from bridge.sources.ldap_words import search_failure

DIRSYNC = "1.2.840.113556.1.4.841"
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)
_CLASS, _NAME, _CREATED, _DELETED = "objectClass", "name", "uSNCreated", "isDeleted"
_EVERYTHING, _NOTHING = "(objectClass=*)", "(!(objectClass=*))"
# LDAP_DIRSYNC_INCREMENTAL_VALUES: of 100,000 members those that changed. In four octets, as a
# controller wants it; then how many bytes an answer may have.
_FLAGS, _MOST_BYTES = b"\x02\x04\x80\0\0\0", b"\x02\x03\x10\0\0"
_TRY_LATER = (51, 52)
_AMONG = 100
# What is in one of these changes its DN with it, and is told of by no change of its own.
_CONTAINERS = frozenset({"organizationalUnit", "container", "organization", "locality"})
# Without these a rename, a move or a deletion would not be told ([MS-ADTS] 3.1.1.3.4.1.3).
_ALWAYS = (ID, _NAME, "userPrincipalName", _DELETED, "parentGUID", _CLASS)
# What is worked out by the controller, by what it is worked out of. The rest of it that an entry
# may show follows from its name, or from nothing that is told.
_WORKED_OUT: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "msds-user-account-control-computed": ("userAccountControl", "lockoutTime", "pwdLastSet"),
    "msds-userpasswordexpirytimecomputed": ("userAccountControl", "pwdLastSet"),
    "primarygrouptoken": ("objectSid",),
    **dict.fromkeys(
        ("dn", "canonicalname", "createtimestamp", "distinguishedname", "memberof", "tokengroups"),
        (),
    ),
})  # fmt: skip
# Whoever wants these wants every change.
_STAMPS = frozenset({"modifytimestamp", "usnchanged", "whenchanged"})
_IN_FILTER = re.compile(r"\(\s*([A-Za-z0-9.][\w.-]*)(?:;[\w;.-]*)?(?::[\w:.-]*)?\s*[~<>]?=")


@dataclass(frozen=True, slots=True)
class Point:
    """Up to where the changes of a controller are known: by its numbers and, where the account
    may use DirSync, by what that gives to go on with."""

    usn: int
    dirsync: bytes = b""


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed, and up to where this is known.

    ``places`` holds the DN of each by its id, empty of what is deleted. ``more`` says that others
    may be different too, of which nothing is told: what is in a container that was renamed or
    moved, or the groups of somebody deleted who was restored.
    """

    places: Mapping[str, str]
    more: bool
    until: Point


class Refused(Exception):
    """The controller does not tell changes by DirSync, or not from this point on."""


def begin(connection: Connection, controller: Controller) -> Point:
    """What to go on from after a whole read that begins now; by DirSync where that is allowed.

    Raises `ConnectionLost`.
    """
    with suppress(Refused, IncompleteRead):
        return Point(controller.usn, dirsync_point(connection, controller))
    return Point(controller.usn)


def dirsync_point(connection: Connection, controller: Controller) -> bytes:
    """DirSync's own word for now, without anything that it stands for.

    Raises `Refused`, `IncompleteRead` and `ConnectionLost`.
    """
    told = _DirSync(connection, b"")
    search = Search(controller.domain, _NOTHING, [ID], EntryReader((), ID).decoder)
    for _ in told.pages(search):
        pass
    return told.token


def changes(
    connection: Connection,
    controller: Controller,
    since: Point,
    names: Sequence[str],
    page_size: int,
) -> Changed:
    """Everything that changed since: by DirSync among ``names``, by numbers in any way.

    Raises `Refused` where only a whole read can tell, `IncompleteRead` and `ConnectionLost`.
    """
    if since.dirsync:
        return _by_dirsync(connection, controller, since.dirsync, names, page_size)
    return _by_number(connection, controller, since.usn, page_size)


def among(ids: Iterable[str]) -> Iterator[str]:
    """Filters that together find what has one of these ids, a number of them each."""
    rest = iter(sorted(ids))
    while chunk := list(islice(rest, _AMONG)):
        each = (re.sub("..", r"\\\g<0>", id) for id in chunk)
        yield f"(|{''.join(f'({ID}={value})' for value in each)})"


def followed(wanted: Iterable[str], filters: Iterable[str]) -> list[str]:
    """The attributes of which DirSync has to tell changes, where these are wanted and these
    filters say of whom."""
    names = {name.partition(";")[0] for name in wanted}
    names.update(name for filter in filters for name in names_in(filter))
    if not _STAMPS.isdisjoint(name.lower() for name in names):
        return ["*"]
    spelled = {name.lower(): name for name in _ALWAYS}
    for name in sorted(names):
        for stored in _WORKED_OUT.get(name.lower(), (name,)):
            spelled.setdefault(stored.lower(), stored)
    return sorted(spelled.values())


def names_in(filter: str) -> list[str]:
    """The attributes that a filter compares, without their options."""
    return _IN_FILTER.findall(filter)


def _by_dirsync(
    connection: Connection,
    controller: Controller,
    token: bytes,
    names: Sequence[str],
    page_size: int,
) -> Changed:
    reader = _ToldReader()
    told = _DirSync(connection, token)
    search = Search(controller.domain, _EVERYTHING, names, reader.decoder)
    places: dict[str, str] = {}
    moved: set[str] = set()
    for page in told.pages(search):
        for entry in reader.take(page):
            places[entry.record_key] = _place(entry)
            # Whatever is new comes with all that it has; in a new container everything is new.
            if _NAME in entry.attributes and _CLASS not in entry.attributes:
                moved.add(entry.record_key)
    check_named(reader.unnamed, ID)
    more = reader.restored or _any_container(connection, controller, moved, page_size)
    return Changed(places, more, Point(controller.usn, told.token))


def _any_container(
    connection: Connection, controller: Controller, ids: Collection[str], page_size: int
) -> bool:
    kinds = "".join(f"({_CLASS}={kind})" for kind in sorted(_CONTAINERS))
    reader = EntryReader((), ID)
    for chosen in among(ids):
        search = Search(controller.domain, f"(&(|{kinds}){chosen})", [ID], reader.decoder)
        if any(pages(connection, search, page_size, bases=())):
            return True
    return False


class _ToldReader(EntryReader):
    """Takes what DirSync tells, and whether something is no longer deleted."""

    def __init__(self) -> None:
        super().__init__((_CLASS, _NAME, _DELETED), ID)
        self.decoder = _ToldDecoder(self._field)

    @property
    def restored(self) -> bool:
        assert isinstance(self.decoder, _ToldDecoder)
        return self.decoder.restored


class _ToldDecoder(EntryDecoder):
    """Also looks for the attribute that comes without values where it was taken away."""

    restored = False

    def decode(self, m: bytes, start: int) -> Decoded | None:
        decoded = super().decode(m, start)
        if decoded is not None:
            self._look(raw_entry(m)[1])
        return decoded

    def from_raw(self, dn: bytes, raw: Mapping[str, Sequence[bytes] | None]) -> Decoded:
        self._look(raw)
        return super().from_raw(dn, raw)

    def _look(self, raw: Mapping[str, Sequence[bytes] | None]) -> None:
        self.restored |= any(name.lower() == "isdeleted" and not raw[name] for name in raw)


class _DirSync:
    """What DirSync tells from ``token`` on, which becomes the one to go on from."""

    def __init__(self, connection: Connection, token: bytes) -> None:
        self._connection = connection
        self.token = token

    def pages(self, search: Search) -> Iterator[list[Decoded]]:
        """Each part of the answer. Raises `Refused`, `IncompleteRead` and `ConnectionLost`."""
        more = True
        while more:
            before = self.token
            control = (DIRSYNC, True, _request(before))
            answers, result = ask(self._connection, search, "DirSync", [control])
            more, self.token = _response(result)
            if more and self.token == before:
                raise Refused("it does not come to an end")
            yield [answer for answer in answers if type(answer) is tuple]


def _response(result: Mapping[str, Any]) -> tuple[bool, bytes]:
    code = result["result"]
    if code in _TRY_LATER:
        raise IncompleteRead(f"DirSync: {search_failure(code)}")
    control = (result.get("controls") or {}).get(DIRSYNC)
    if code or control is None or not control["value"]["cookie"]:
        raise Refused(search_failure(code) if code else "the server does not say how to go on")
    return control["value"]["more_results"], bytes(control["value"]["cookie"])


def _request(token: bytes) -> bytes:
    # SEQUENCE { Flags INTEGER, MaxBytes INTEGER, Cookie OCTET STRING }
    content = _FLAGS + _MOST_BYTES + b"\x04" + _length(token) + token
    return b"\x30" + _length(content) + content


def _length(content: bytes) -> bytes:
    return b"\x84" + len(content).to_bytes(4, "big")


def _by_number(
    connection: Connection, controller: Controller, since: int, page_size: int
) -> Changed:
    reader = EntryReader((_CLASS, _CREATED, _DELETED), ID)
    filter = f"(uSNChanged>={since + 1})"
    search = Search(controller.domain, filter, reader.asked, reader.decoder, (SHOW_DELETED,))
    places: dict[str, str] = {}
    more = False
    for page in pages(connection, search, page_size, bases=()):
        for entry in reader.take(page):
            places[entry.record_key] = _place(entry)
            old = not str(entry.attributes.get(_CREATED, "")).isdecimal()
            old = old or int(entry.attributes[_CREATED]) <= since
            more |= old and not _CONTAINERS.isdisjoint(entry.attributes.get(_CLASS, ()))
    check_named(reader.unnamed, ID)
    return Changed(places, more, Point(controller.usn))


def _place(entry: Entry) -> str:
    return "" if entry.attributes.get(_DELETED) == "TRUE" else plain_dn(entry.attributes["dn"])
