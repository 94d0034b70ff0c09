"""What an LDAP server says of itself: its root entry, its schema, its time (RFC 4512 section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ldap3 import BASE, DEREF_NEVER, Connection
from ldap3.core.exceptions import LDAPCommunicationError

from bridge.errors import IncompleteRead
from bridge.sources.ldap_decode import Malformed
from bridge.sources.ldap_search import ConnectionLost, Control
from bridge.sources.ldap_words import search_failure

_PAGING = b"1.2.840.113556.1.4.319"
_CHANGES = {
    b"1.2.840.113556.1.4.841": "DirSync",
    b"2.16.840.1.113730.3.4.3": "persistent search",
}
# Where servers tell their time: 389-DS, and OpenLDAP with its monitor.
_CLOCKS = (
    ("cn=monitor", "currentTime"),
    ("cn=Current,cn=Time,cn=Monitor", "monitorTimestamp"),
)
_NAMES = re.compile(rb"\bNAME\s+(?:'([^']+)'|\(([^)]*)\))")


@dataclass(frozen=True, slots=True)
class Server:
    """What a server offers; empty or None where it does not say.

    ``changes`` names those ways of telling changes for which `type: ldap` has no use,
    ``attribute_types`` all names of all attributes in its schema, ``time`` what its clock shows.
    """

    pages: bool = False
    changes: str = ""
    attribute_types: frozenset[str] = frozenset()
    time: datetime | None = None


def look(
    connection: Connection, name: str, attributes: Sequence[str], controls: Sequence[Control] = ()
) -> Mapping[str, Sequence[bytes]]:
    """The values of one entry by lower-case names.

    Raises `IncompleteRead` where it is not there or not shown, and `ConnectionLost`.
    """
    connection.strategy.decoder = None
    try:
        connection.search(name, "(objectClass=*)", search_scope=BASE,
                          dereference_aliases=DEREF_NEVER, attributes=attributes,
                          controls=list(controls) or None)  # fmt: skip
    except (LDAPCommunicationError, OSError, Malformed):
        raise ConnectionLost("the connection was lost or fell silent") from None
    if connection.result["result"] != 0:
        raise IncompleteRead(search_failure(connection.result["result"]))
    for answer in connection.response:
        if answer["type"] == "searchResEntry":
            return {key.lower(): values for key, values in answer["raw_attributes"].items()}
    raise IncompleteRead("the server does not show it")


def server(connection: Connection) -> Server:
    """What can be seen without any rights being promised. Raises `ConnectionLost`."""
    try:
        root = look(connection, "", ["supportedControl", "subschemaSubentry", "currentTime"])
    except IncompleteRead:
        return Server()
    controls = root.get("supportedcontrol", ())
    return Server(
        pages=_PAGING in controls,
        changes=", ".join(words for control, words in _CHANGES.items() if control in controls),
        attribute_types=_attribute_types(connection, root.get("subschemasubentry", ())),
        time=_time(connection, root.get("currenttime", ())),
    )


def skew(connection: Connection) -> timedelta | None:
    """How far the server's clock is ahead of this machine's; None where it does not tell its time.

    Raises `ConnectionLost`.
    """
    try:
        shown = look(connection, "", ["currentTime"]).get("currenttime", ())
    except IncompleteRead:
        shown = ()
    theirs = _time(connection, shown)
    return None if theirs is None else theirs - datetime.now(UTC)


def _attribute_types(connection: Connection, where: Sequence[bytes]) -> frozenset[str]:
    names: set[str] = set()
    for name in where[:1]:
        try:
            shown = look(connection, name.decode(), ["attributeTypes"])
        except (IncompleteRead, ValueError):
            continue
        for definition in shown.get("attributetypes", ()):
            if (found := _NAMES.search(definition)) is not None:
                several = re.findall(rb"'([^']+)'", found[2] or b"")
                names.update(each.decode(errors="replace") for each in several or [found[1]])
    return frozenset(names)


def _time(connection: Connection, shown: Sequence[bytes]) -> datetime | None:
    for name, attribute in _CLOCKS:
        if shown:
            break
        try:
            shown = look(connection, name, [attribute]).get(attribute.lower(), ())
        except IncompleteRead:
            continue
    found = re.match(rb"\d{14}", shown[0]) if shown else None
    try:
        return (
            datetime.strptime(found[0].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            if found
            else None
        )
    except ValueError:
        return None
