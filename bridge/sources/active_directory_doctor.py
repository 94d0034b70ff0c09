"""Examining an Active Directory domain: as any directory, and what its changes can be read by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ldap3 import Connection

from bridge.errors import IncompleteRead
from bridge.model import Wanted
from bridge.sources import SourceSettings
from bridge.sources.active_directory import ID, SHOW_DELETED, Settings, controller_of
from bridge.sources.doctor import Finding, State
from bridge.sources.ldap_doctor import Manner, examination
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import Server, look
from bridge.sources.ldap_search import ConnectionLost


def examine(settings: SourceSettings, folder: Path, wanted: Wanted) -> Iterator[Finding]:
    """As any directory is examined."""
    assert isinstance(settings, Settings)
    manner = Manner(ID, partitioned=True, changes=_by_number)
    return examination(settings, folder, wanted, manner)


def _by_number(connection: Connection, _: Server, __: Sequence[EntryReader]) -> Finding:
    try:
        controller = controller_of(connection)
    except (IncompleteRead, ConnectionLost) as error:
        return Finding("changes", State.WARNING, f"every read reads everything: {error}",
                       "name a domain controller, on its usual port")  # fmt: skip
    if not controller.identity:
        found = "the controller does not show its invocationId, so every read reads everything"
        return Finding("changes", State.WARNING, found,
                       "let `bind_dn` read the configuration partition")  # fmt: skip
    bin = f"CN=Deleted Objects,{controller.domain}"
    try:
        look(connection, bin, ["1.1"], [SHOW_DELETED])
    except (IncompleteRead, ConnectionLost):
        found = "by uSNChanged; `bind_dn` may not see what is deleted, so complete reads find that"
        advice = f'let it: dsacls "{bin}" /takeOwnership, then /G DOMAIN\\ACCOUNT:LCRP'
        return Finding("changes", State.WARNING, found, advice)
    return Finding("changes", State.OK, "by uSNChanged, deletions among them")
