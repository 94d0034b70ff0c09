"""What changed, as RFC 4533 has a server tell it (syncrepl): who came, who went, who stayed.

A search that carries the cookie of an earlier one is answered with what is new or changed, and
either with the ids of what is there no longer (the delete phase) or, where the server has no log
back to that cookie, with the ids of everything that is there as it was (the present phase).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ldap3 import BASE, Connection

from bridge.errors import IncompleteRead
from bridge.sources.ldap_decode import Decoded, content
from bridge.sources.ldap_search import Search, ask, check_reference
from bridge.sources.ldap_words import search_failure

SYNC = "1.3.6.1.4.1.4203.1.9.1.1"  # RFC 4533 section 2.2
_STATE = "1.3.6.1.4.1.4203.1.9.1.2"  # section 2.3
_DONE = "1.3.6.1.4.1.4203.1.9.1.3"  # section 2.4
_INFO = "1.3.6.1.4.1.4203.1.9.1.4"  # section 2.5
_NOT_HERE = 12  # unavailableCriticalExtension
_ID = 16
_MOST = 10_000
"""How many changed entries are taken at once: reading everything, page by page, is no worse."""


class Refused(Exception):
    """The server does not tell the changes since a cookie, or not in a way to be believed."""


@dataclass(slots=True)
class Followed:
    """One search followed from a cookie to the next.

    Ids are those of entryUUID, as text. ``entries`` are new or changed, and ``changed`` their ids;
    ``gone`` are no longer found, or are something else altogether that was changed or deleted.
    ``present`` holds 16 bytes for each entry that is there, where a present phase told all of
    those: then what is neither among them nor in ``entries`` is gone. It is empty otherwise.
    """

    cookie: bytes
    entries: list[Decoded] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    present: bytearray = field(default_factory=bytearray)

    def present_ids(self) -> list[str]:
        """The ids that ``present`` holds, without those of entries that changed."""
        ids = (_text(self.present[at : at + _ID]) for at in range(0, len(self.present), _ID))
        return [id for id in ids if id not in self.changed]


def beginning(connection: Connection, search: Search, bases: Sequence[str]) -> bytes:
    """A cookie from which ``search`` can be followed: whatever changes from now on comes after it.

    The server gives it with a search of the base alone, and takes it at once for the whole one; so
    everything else can be read page by page. Raises `Refused`, `IncompleteRead` and
    `ConnectionLost`.
    """
    cookie = _follow(connection, search, bases, None).cookie
    if not cookie:
        raise Refused("it gave no cookie")
    return _follow(connection, search, bases, cookie).cookie


def follow(connection: Connection, search: Search, bases: Sequence[str], cookie: bytes) -> Followed:
    """What happened to ``search`` since ``cookie``.

    ``bases`` are all that the read covers: a continuation reference to elsewhere is nothing missed.
    Raises `Refused`, `IncompleteRead` and `ConnectionLost`.
    """
    return _follow(connection, search, bases, cookie)


def _follow(
    connection: Connection, search: Search, bases: Sequence[str], cookie: bytes | None
) -> Followed:
    place = f"{search.base}, changes"
    how: dict[str, Any] = {"search_scope": BASE} if cookie is None else {"size_limit": _MOST}
    control = (SYNC, True, _request(cookie))
    answers, result = ask(connection, search, place, (control,), fast=False, **how)
    if result["type"] != "searchResDone" or result["result"] != 0:
        raise Refused(
            f"the server does not offer it for {search.base}"
            if result["result"] == _NOT_HERE
            else search_failure(result["result"])
        )
    followed = Followed(cookie or b"")
    try:
        for answer in answers:
            match answer["type"]:
                case "searchResEntry":
                    _take(answer, search, followed)
                case "intermediateResponse":
                    _inform(answer, followed)
                case _:
                    check_reference(answer["uri"] or (), bases)
        _end(result, followed, known=cookie is not None)
    except IncompleteRead as error:
        raise IncompleteRead(f"{place}: {error}") from None
    except (IndexError, KeyError, TypeError, ValueError):
        raise Refused("it answers in a way that RFC 4533 does not know") from None
    return followed


def _request(cookie: bytes | None) -> bytes:
    """SEQUENCE { mode refreshOnly(1), cookie OPTIONAL, reloadHint DEFAULT FALSE }."""
    given = b"" if cookie is None else b"\x04" + _length(len(cookie)) + cookie
    inner = b"\x0a\x01\x01" + given
    return b"\x30" + _length(len(inner)) + inner


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _take(answer: Any, search: Search, followed: Followed) -> None:
    """SEQUENCE { state ENUMERATED { present, add, modify, delete }, entryUUID, cookie }."""
    parts = _parts(answer["controls"][_STATE]["value"], 0x30)
    (state_tag, state), (id_tag, id) = parts[:2]
    if (state_tag, id_tag) != (0x0A, 0x04):
        raise ValueError
    match int.from_bytes(state, "big"):
        case 0:
            followed.present += _checked(id)
        case 1 | 2:
            followed.changed.add(_text(_checked(id)))
            raw = bytes(answer["raw_dn"]), answer["raw_attributes"]
            followed.entries.append(search.decoder.from_raw(*raw))
        case 3:
            followed.gone.add(_text(_checked(id)))
        case _:
            raise ValueError


def _inform(answer: Any, followed: Followed) -> None:
    """CHOICE { newcookie [0], refreshDelete [1], refreshPresent [2], syncIdSet [3] }; the last is
    SEQUENCE { cookie OPTIONAL, refreshDeletes DEFAULT FALSE, syncUUIDs SET OF }."""
    value = answer["responseValue"]
    if answer["responseName"] != _INFO or value[0] not in (0x80, 0xA1, 0xA2, 0xA3):
        raise ValueError
    if value[0] != 0xA3:
        return  # the result itself says by which phase it ended, and with which cookie
    parts = dict(_parts(value, 0xA3))
    ids = [_checked(id) for tag, id in _parts(parts[0x31], None) if tag == 0x04]
    if any(parts.get(0x01, b"\0")):
        followed.gone.update(map(_text, ids))
    else:
        followed.present += b"".join(ids)


def _end(result: Any, followed: Followed, known: bool) -> None:
    """SEQUENCE { cookie OPTIONAL, refreshDeletes DEFAULT FALSE }."""
    parts = dict(_parts(result["controls"][_DONE]["value"], 0x30))
    cookie = parts.get(0x04)
    # OpenLDAP's are made of CSNs: what it is given without one it answers as if it knew it, with
    # everything that is there and nothing of what is not.
    if cookie == b"" or (cookie and cookie.startswith(b"rid=") and b"csn=" not in cookie):
        raise Refused("it does not know the cookie that it is given")
    followed.cookie = cookie or followed.cookie
    if any(parts.get(0x01, b"\0")):
        followed.present.clear()
    elif known and (not followed.present or followed.gone):
        # Nothing at all that stayed as it was: more likely a server that tells deletions and
        # forgets to say so, or one that starts over, than a company that is gone.
        raise Refused("it tells neither what is gone nor what is still there")


def _parts(data: bytes, tag: int | None) -> list[tuple[int, bytes]]:
    """The elements within the element ``data``, or within ``data`` itself where ``tag`` is None."""
    at, end = (0, len(data)) if tag is None else content(data, 0, tag, len(data))
    parts = []
    while at < end:
        kind = data[at]
        start, at = content(data, at, kind, end)
        parts.append((kind, bytes(data[start:at])))
    if end != len(data):
        raise ValueError
    return parts


def _checked(id: bytes) -> bytes:
    if len(id) != _ID:
        raise ValueError
    return id


def _text(id: bytes | bytearray) -> str:
    return str(UUID(bytes=bytes(id)))
