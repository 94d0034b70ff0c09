"""Examining an Active Directory domain: as any directory, and what its changes can be read by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ldap3 import Connection

from bridge.errors import IncompleteRead
from bridge.model import Wanted
from bridge.sources import SourceSettings
from bridge.sources.active_directory import Settings
from bridge.sources.active_directory_changes import (
    SHOW_DELETED,
    Refused,
    dirsync_point,
    names_in,
)
from bridge.sources.active_directory_controller import controller_of
from bridge.sources.active_directory_entry import ID
from bridge.sources.doctor import Finding, State
from bridge.sources.ldap_doctor import Manner, examination
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import Server
from bridge.sources.ldap_search import ConnectionLost, Search, pages


def examine(settings: SourceSettings, folder: Path, wanted: Wanted) -> Iterator[Finding]:
    """As any directory is examined, and whether the file uses what no read of changes is told."""
    assert isinstance(settings, Settings)
    manner = Manner(ID, partitioned=True, changes=_changes)
    yield from examination(settings, folder, wanted, manner)
    used = {*settings.require, *wanted.attributes, *names_in(settings.filter)}
    if "memberof" in {name.lower() for name in used}:
        found = "changes of `memberOf` are seen by complete reads alone"
        advice = "name the groups under `groups`, or read everything often"
        yield Finding("changes", State.WARNING, found, advice)


def _changes(connection: Connection, _: Server, __: Sequence[EntryReader]) -> Finding:
    try:
        controller = controller_of(connection)
    except (IncompleteRead, ConnectionLost) as error:
        return Finding("changes", State.WARNING, f"every read reads everything: {error}",
                       "name a domain controller, on its usual port")  # fmt: skip
    if not controller.identity:
        found = "the controller does not show its invocationId, so every read reads everything"
        return Finding("changes", State.WARNING, found,
                       "let `bind_dn` read the configuration partition")  # fmt: skip
    try:
        dirsync_point(connection, controller)
    except (Refused, IncompleteRead, ConnectionLost) as error:
        return _by_number(connection, controller.domain, str(error))
    return Finding("changes", State.OK, "by DirSync, deletions among them")


def _by_number(connection: Connection, domain: str, refusal: str) -> Finding:
    bin = f"CN=Deleted Objects,{domain}"
    right = f'give `bind_dn` the right "Replicating Directory Changes" on {domain}'
    try:
        seen = _is_any_deleted_seen(connection, bin)
    except (IncompleteRead, ConnectionLost):
        seen = False
    if not seen:
        found = "by uSNChanged; nothing is seen of what is deleted, so complete reads find that"
        advice = f'{right}, or to see what is deleted: dsacls "{bin}" /takeOwnership, then '
        return Finding("changes", State.WARNING, found, f"{advice}/G DOMAIN\\ACCOUNT:LCRP")
    found = f"by uSNChanged, deletions among them; not by DirSync: {refusal}"
    return Finding("changes", State.OK, found, f"{right}, and only what matters here is told")


def _is_any_deleted_seen(connection: Connection, bin: str) -> bool:
    search = Search(bin, "(lastKnownParent=*)", [ID], EntryReader((), ID).decoder, (SHOW_DELETED,))
    return next(pages(connection, search, 1, bases=()), None) is not None
