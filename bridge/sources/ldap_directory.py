"""What every directory that speaks LDAP has in common: where people are, and how it is walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ldap3 import Connection
from pydantic import Field, field_validator

from bridge import dn
from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Batch, Verdict
from bridge.sources.ldap_connection import close, connect
from bridge.sources.ldap_search import ConnectionLost, is_filter
from bridge.sources.ldap_server import ConnectionSettings, Host

NOTHING_KNOWN = b"{}"
"""The cookie of a store that took in a part of a read: whatever comes next has to be whole."""

_NO_FILTER = "is no filter such as (objectClass=inetOrgPerson)"
_RESTARTS = 2


class DirectorySettings(ConnectionSettings):
    """What a directory's section has beside how to connect; a kind adds which entries are people
    unless said otherwise."""

    asked = True

    base: tuple[str, ...] = Field(
        min_length=1,
        description="The DN under which people are, at any depth; or a list of such DNs.",
    )
    filter: str = Field(
        description="Which entries are people (RFC 4515). Keep those who are disabled or locked "
        "among them: an `active` rule tells them apart, and then they are seen to go."
    )
    page_size: int = Field(
        1000, ge=1, le=1000, description="How many entries are asked for at a time."
    )

    @field_validator("base", mode="before")
    @classmethod
    def _one_base_is_a_list_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("base")
    @classmethod
    def _bases_stand_apart(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for base in value:
            if not base.strip():
                raise ValueError("is empty")
            try:
                dn.normal(base)
            except ValueError as error:
                raise ValueError(f"{base!r} is {error}") from None
        for base in value:
            if sum(dn.is_under(base, other) for other in value) > 1:
                raise ValueError(f"{base!r} is within another base")
        return value

    @field_validator("filter")
    @classmethod
    def _filter_is_one(cls, value: str) -> str:
        if not is_filter(value):
            raise ValueError(_NO_FILTER)
        return value.strip()

    def own_names(self) -> frozenset[str]:
        return frozenset({"dn"})

    def filter_fault(self, filter: str) -> str:
        return "" if is_filter(filter) else _NO_FILTER


def unbroken(
    settings: ConnectionSettings,
    folder: Path,
    host: Host,
    connection: Connection,
    walk: Callable[[Connection], Iterator[Batch]],
    known: bytes | None,
) -> Iterator[Batch]:
    """The batches of one walk over one connection, which is closed in the end.

    A connection lost in mid-walk starts again at the first page, twice at most and on the same
    host: what was read before may come again, and only an unbroken walk is believed. ``known`` is
    the cookie of a walk that is not.
    """
    try:
        for attempt in range(_RESTARTS + 1):
            try:
                yield from walk(connection)
                return
            except IncompleteRead as error:
                reason = str(error)
                break
            except ConnectionLost as error:
                close(connection)
                reason = str(error)
            if attempt < _RESTARTS:
                try:
                    connection = connect(settings, folder, host)
                except SourceUnavailable as error:
                    reason = f"{reason}, and again: {error}"
                    break
        yield Batch(cookie=known, verdict=Verdict(complete=False, reason=reason))
    finally:
        close(connection)


def check_named(unnamed: int, id: str) -> None:
    """Raise `IncompleteRead` where the server did not say of some entries who they are."""
    if unnamed:
        raise IncompleteRead(
            f"{unnamed:,} entries do not have exactly one {id}, so that nobody can say who they "
            "are: is `id` right for this server, and may `bind_dn` read it?"
        )
