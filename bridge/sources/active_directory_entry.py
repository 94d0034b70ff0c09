"""An object of Active Directory as an entry: known by its GUID, naming others by theirs, whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from typing import Any
from uuid import UUID

from ldap3 import Connection

from bridge import dn
from bridge.errors import IncompleteRead
from bridge.model import Entry
from bridge.sources.ldap_decode import Decoded, Field
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import look

ID = "objectGUID"
PRIMARY_GROUP = "primaryGroupID"
# Every DN with its GUID and SID before it: [MS-ADTS] 3.1.1.3.4.1.5; the value is SEQUENCE { 1 }.
EXTENDED_DN = ("1.2.840.113556.1.4.529", True, b"\x30\x03\x02\x01\x01")
_EXTENDED = re.compile(r"<GUID=([0-9a-fA-F-]{36})>;(?:<SID=[^>]*>;)?(.*)", re.DOTALL)
_SID = re.compile(r"<SID=(S-[0-9-]+)-[0-9]+>")
_RANGE = ";range="


def plain_dn(name: str) -> str:
    """A DN without the GUID and the SID that may stand before it."""
    found = _EXTENDED.fullmatch(name)
    return found[2] if found else name


class AdReader(EntryReader):
    """Makes entries of the objects that a search with `EXTENDED_DN` found."""

    def _field(self, sent: str) -> Field | None:
        name, found, range_ = sent.lower().partition(_RANGE)
        if found and name in self._spellings:
            return Field(f"{self._spellings[name]}{_RANGE}{range_}")
        return super()._field(sent)

    def take_whole(self, page: list[Decoded], connection: Connection) -> list[Entry]:
        """The entries of one page; what was sent as a range of values is asked for to its end."""
        return [self._finished(entry, connection) for entry in self.take(page)]

    def _finished(self, entry: Entry, connection: Connection) -> Entry:
        return _named_by_guid(_whole(connection, entry))


class PersonReader(AdReader):
    """Makes people of objects, each with the primary group: one that does not name its members,
    but is named by them, by the last part of its SID."""

    def __init__(self, wanted: Collection[str]) -> None:
        super().__init__({*wanted, PRIMARY_GROUP}, ID)
        self._hidden = PRIMARY_GROUP.lower() not in {name.lower() for name in wanted}
        self._refs: dict[str, tuple[str, ...]] = {}

    def _finished(self, entry: Entry, connection: Connection) -> Entry:
        attributes = dict(entry.attributes)
        name = self._spellings[PRIMARY_GROUP.lower()]
        number = attributes.pop(name, None) if self._hidden else attributes.get(name)
        found = _SID.search(attributes["dn"])
        entry = super()._finished(replace(entry, attributes=attributes), connection)
        if found is None or number is None:
            return entry
        sid = f"{found[1]}-{number}"
        if sid not in self._refs:
            self._refs[sid] = _ref_of_sid(connection, sid)
        return replace(entry, member_of=self._refs[sid])


def _ref_of_sid(connection: Connection, sid: str) -> tuple[str, ...]:
    try:
        shown = look(connection, f"<SID={sid}>", [ID]).get(ID.lower(), ())
    except IncompleteRead:
        return ()  # whoever may not see a group does not serve it
    return tuple(_ref(str(UUID(bytes_le=value))) for value in shown)


def _whole(connection: Connection, entry: Entry) -> Entry:
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
