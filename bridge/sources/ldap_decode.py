"""Search entries straight from their BER, for speed (RFC 4511 section 4.5.2).

Nearly all the time of a read through ldap3 goes into taking entries apart. Here one is walked once
and becomes what the bridge keeps of it. Every length is checked against what it stands in: an
entry is whole and well-formed, or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

_MOST_SHARED = 10_000


class Malformed(Exception):
    """What arrived is no LDAP message, or a damaged one."""


class Field(NamedTuple):
    """What becomes of an attribute: its name in the entry, whether its values are bytes in any
    case, and whether the entry keeps it or it is only looked at."""

    name: str
    binary: bool = False
    kept: bool = True


Decoded = tuple[bytes, dict[str, Any], bytes, bytes]
"""A DN, the attributes, their 16-byte fingerprint, and the value of the field not kept."""


class EntryDecoder:
    """Takes the entries of one search apart.

    ``field_of`` says what becomes of an attribute by the name that the server gives it, None for
    nothing. Values are text where all of an attribute are UTF-8; one is itself, several are a
    list in the server's order; empty ones are left out. The fingerprint depends neither on the
    order of attributes and values nor on how their lengths were encoded.
    """

    def __init__(self, field_of: Callable[[str], Field | None]) -> None:
        self._field_of = field_of
        self._fields: dict[str, Field | None] = {}
        # By all that stands before the value of an attribute with one value: the name, the size
        # of the value, and how its part of the fingerprint begins, empty if not kept. Names and
        # sizes repeat, so one look here replaces reading four tags and four lengths.
        self._headers: dict[bytes, tuple[str, int, bytes]] = {}
        # By a whole short attribute of several values, which whole departments share.
        self._shared: dict[bytes, tuple[str, list[Any], bytes]] = {}

    def decode(self, m: bytes, start: int) -> Decoded | None:
        """The search entry whose tag stands at ``start`` of a message; None if controls follow.

        Raises `Malformed` where it is damaged.
        """
        try:
            return self._decode(m, start)
        except (IndexError, UnicodeDecodeError) as error:
            raise Malformed("a search entry that is cut or damaged") from error

    def from_raw(self, dn: bytes, raw: Mapping[str, Sequence[bytes] | None]) -> Decoded:
        """The same from an entry that was taken apart already."""
        gathered: dict[Field, list[bytes]] = {}
        for name, values in raw.items():
            if (field := self._field(name)) is not None:
                gathered.setdefault(field, []).extend(values or ())
        attributes: dict[str, Any] = {}
        parts: list[bytes] = []
        aside = b""
        for field, values in gathered.items():
            aside = _add(field, values, attributes, parts) or aside
        return dn, attributes, _fingerprint(dn, parts), aside

    def _decode(self, m: bytes, start: int) -> Decoded | None:
        found = _attribute_list(m, start)
        if found is None:
            return None
        dn, at, stop = found
        attributes: dict[str, Any] = {}
        parts: list[bytes] = []
        add_part = parts.append
        aside = b""
        header_of, shared_of = self._headers.get, self._shared.get
        # Lengths take one octet, or five where the server (Windows) always writes them so.
        to_name, around_name = (7, 16) if at < stop and m[at + 1] == 0x84 else (3, 8)
        while at < stop:
            start = at + m[at + to_name] + around_name
            known = header_of(m[at:start])
            if known is None:
                end = at + m[at + 1] + 2
                shared = shared_of(m[at:end])
                if shared is not None and shared[0] not in attributes:
                    name, values, part = shared
                    attributes[name] = values.copy()
                    add_part(part)
                    at = end
                    continue
                at, left = self._learn(m, at, stop, attributes, parts)
                aside = left or aside
                continue
            name, size, prefix = known
            at = start + size
            value = m[start:at]
            if prefix:
                try:
                    attributes[name] = value.decode()
                except UnicodeDecodeError:
                    attributes[name] = value
                add_part(prefix + value)
            else:
                aside = value
        if at != stop:
            raise IndexError
        if len(parts) != len(attributes):
            # An attribute came twice, against the standard: slowly, but nothing is lost.
            return self.from_raw(*raw_entry(m))
        return dn, attributes, _fingerprint(dn, parts), aside

    def _learn(
        self, m: bytes, at: int, limit: int, attributes: dict[str, Any], parts: list[bytes]
    ) -> tuple[int, bytes]:
        """Take one attribute in by all the rules, and know its like the next time."""
        name, values, end = _attribute(m, at, limit)
        if (field := self._field(name)) is None:
            return end, b""
        if len(values) == 1 and values[0] and not field.binary:
            size = len(values[0])
            header = m[at : end - size]
            if len(header) - len(name) in (8, 16):
                prefix = _prefix(field, size) if field.kept else b""
                self._headers[header] = field.name, size, prefix
        if field.name in attributes:
            parts.append(b"")  # makes the count of parts tell that it came twice
        aside = _add(field, values, attributes, parts)
        if len(values) > 1 and end - at == m[at + 1] + 2 and len(self._shared) < _MOST_SHARED:
            kept = attributes.get(field.name)
            if isinstance(kept, list):
                self._shared[m[at:end]] = field.name, kept.copy(), parts[-1]
        return end, aside

    def _field(self, name: str) -> Field | None:
        if name not in self._fields:
            self._fields[name] = self._field_of(name)
        return self._fields[name]


def _add(
    field: Field, values: list[bytes], attributes: dict[str, Any], parts: list[bytes]
) -> bytes:
    if b"" in values:
        values = [value for value in values if value]
    if not values:
        return b""
    if not field.kept:
        return values[0]
    decoded = values if field.binary else _text(values)
    attributes[field.name] = decoded[0] if len(decoded) == 1 else decoded
    if len(values) == 1:
        parts.append(_prefix(field, len(values[0])) + values[0])
    else:
        each = [b" %d:%b" % (len(value), value) for value in sorted(values)]
        parts.append(field.name.encode() + b"".join(each))
    return b""


def _text(values: list[bytes]) -> list[str] | list[bytes]:
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        return values


def _prefix(field: Field, size: int) -> bytes:
    return b"%b %d:" % (field.name.encode(), size)


def _fingerprint(dn: bytes, parts: list[bytes]) -> bytes:
    parts.sort()
    return blake2b(b"%d:%b%b" % (len(dn), dn, b"".join(parts)), digest_size=16).digest()


def raw_entry(m: bytes) -> tuple[bytes, dict[str, list[bytes]]]:
    """DN and values of a message with a search entry and no controls.

    Raises `Malformed` where it is damaged, or something else.
    """
    try:
        start, stop = content(m, 0, 0x30, len(m))
        _, start = content(m, start, 0x02, stop)
        found = _attribute_list(m, start)
        if stop != len(m) or found is None:
            raise IndexError
        dn, at, stop = found
        attributes: dict[str, list[bytes]] = {}
        while at < stop:
            name, values, at = _attribute(m, at, stop)
            attributes.setdefault(name, []).extend(values)
    except (IndexError, UnicodeDecodeError) as error:
        raise Malformed("a search entry that is cut or damaged") from error
    return dn, attributes


def _attribute_list(m: bytes, start: int) -> tuple[bytes, int, int] | None:
    """The DN, and where the attributes begin and end; None where controls follow."""
    size = len(m)
    at, end = content(m, start, 0x64, size)
    if end != size:
        if content(m, end, 0xA0, size)[1] != size:
            raise IndexError
        return None
    start, end = content(m, at, 0x04, size)
    at, stop = content(m, end, 0x30, size)
    if stop != size:
        raise IndexError
    return m[start:end], at, stop


def _attribute(m: bytes, at: int, limit: int) -> tuple[str, list[bytes], int]:
    """The name and values of the attribute at ``at``, and where it ends."""
    at, stop = content(m, at, 0x30, limit)
    start, at = content(m, at, 0x04, stop)
    name = m[start:at].decode("ascii")
    at, end = content(m, at, 0x31, stop)
    if end != stop:
        raise IndexError
    values = []
    while at < stop:
        # `content` written out for short values: groups have very many.
        size = m[at + 1]
        if m[at] != 0x04 or size > 0x7F:
            start, at = content(m, at, 0x04, stop)
        else:
            start = at + 2
            at = start + size
        values.append(m[start:at])
    if at != stop:
        raise IndexError
    return name, values, stop


def content(m: bytes, at: int, tag: int, limit: int) -> tuple[int, int]:
    """Where the content of the element at ``at`` starts and ends; IndexError if past ``limit``."""
    if m[at] != tag:
        raise IndexError
    length = m[at + 1]
    start = at + 2
    if length > 0x7F:
        if not 0x81 <= length <= 0x84:
            raise IndexError
        start += length & 0x7F
        length = int.from_bytes(m[at + 2 : start], "big")
    end = start + length
    if end > limit:
        raise IndexError
    return start, end
