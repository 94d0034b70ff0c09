"""A search page by page (RFC 2696), of which nothing is believed before its last page ended well.

ldap3's own paging swallows results such as sizeLimitExceeded and returns fewer people. Here every
page must end in success and carry the paging control, and the last one an empty cookie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from ldap3 import DEREF_NEVER, SUBTREE, Connection
from ldap3.core.exceptions import LDAPCommunicationError, LDAPExceptionError
from ldap3.operation.search import parse_filter

from bridge import dn
from bridge.errors import IncompleteRead
from bridge.sources.ldap_decode import Decoded, EntryDecoder, Malformed
from bridge.sources.ldap_words import search_failure

_PAGING = "1.2.840.113556.1.4.319"
_MOST_EMPTY_PAGES = 1000


Control = tuple[str, bool, bytes | None]
"""A control of a request (RFC 4511 section 4.1.11): its OID, whether it is critical, its value."""


class ConnectionLost(Exception):
    """The connection broke or fell silent; what a page would have held is unknown."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for under ``base``, which attributes to ask for, who reads them, and with
    which controls beside paging."""

    base: str
    filter: str
    attributes: Sequence[str]
    decoder: EntryDecoder
    controls: Sequence[Control] = ()

    def narrowed(self, filter: str) -> Search:
        """The same search for those entries alone that ``filter`` matches too."""
        return replace(self, filter=f"(&{self.filter}{filter})")


def is_filter(text: str) -> bool:
    """Whether ``text`` is a search filter (RFC 4515)."""
    try:
        parse_filter(text, None, False, False, None, False)
    except (LDAPExceptionError, AttributeError, IndexError, ValueError):
        return False
    return True


def pages(
    connection: Connection, search: Search, page_size: int, bases: Sequence[str]
) -> Iterator[list[Decoded]]:
    """The entries of each page, also of one that did not end well.

    ``bases`` are all that the read covers: a continuation reference to elsewhere is nothing
    missed. Raises `IncompleteRead` with the page and the reason, and `ConnectionLost`.
    """
    cookie = None
    number = empty = 0
    while True:
        number += 1
        place = f"{search.base}, page {number}"
        # Whoever takes the page may search on the same connection.
        answers, result = ask(
            connection, search, place,
            paged_size=page_size, paged_criticality=True, paged_cookie=cookie,
        )  # fmt: skip
        found = [answer for answer in answers if type(answer) is tuple]
        if found:
            yield found
        try:
            for answer in answers:
                if type(answer) is dict and answer["type"] == "searchResRef":
                    check_reference(answer["uri"] or (), bases)
            cookie = _next_page(result)
            empty = 0 if found else empty + 1
            if empty == _MOST_EMPTY_PAGES:
                raise IncompleteRead("the server sends one empty page after the other")
        except IncompleteRead as error:
            raise IncompleteRead(f"{place}: {error}") from None
        if not cookie:
            return


def ask(
    connection: Connection,
    search: Search,
    place: str,
    controls: Sequence[Control] = (),
    fast: bool = True,
    **how: Any,
) -> tuple[list[Any], Mapping[str, Any]]:
    """All that a server answers to one request, and its result, whatever that is.

    Entries come as `Decoded`, or as ldap3's dicts with their controls where that is not wanted
    ``fast``. Raises `IncompleteRead` where it makes no sense and `ConnectionLost`, both with the
    ``place``.
    """
    connection.strategy.decoder = search.decoder if fast else None
    how = {"search_scope": SUBTREE, **how}
    try:
        connection.search(
            search.base,
            search.filter,
            dereference_aliases=DEREF_NEVER,
            attributes=search.attributes,
            controls=[*search.controls, *controls] or None,
            **how,
        )
    except Malformed as error:
        raise IncompleteRead(f"{place}: the server sent {error}") from None
    except IncompleteRead as error:
        raise IncompleteRead(f"{place}: {error}") from None
    except (LDAPCommunicationError, OSError) as error:
        raise ConnectionLost(f"{place}: {_lost(error)}") from None
    return connection.response, connection.result


def _next_page(result: Mapping[str, Any]) -> bytes:
    if result["type"] != "searchResDone":
        raise IncompleteRead("the server ended the search with an answer to something else")
    if result["result"] != 0:
        raise IncompleteRead(search_failure(result["result"]))
    control = (result.get("controls") or {}).get(_PAGING)
    if control is None:
        raise IncompleteRead("the server did not say whether there are more pages")
    return bytes(control["value"]["cookie"])


def check_reference(urls: Sequence[str], bases: Sequence[str]) -> None:
    """Whether a continuation reference (RFC 4511 section 4.5.3) leads out of every base."""
    for url in urls:
        try:
            name = unquote(urlsplit(url).path.removeprefix("/"), errors="strict")
            outside = name and not any(
                dn.is_under(name, base) or dn.is_under(base, name) for base in bases
            )
        except ValueError:
            outside = False
        if outside:
            return
    raise IncompleteRead(
        "a part of it is on another server (a continuation reference), which is not asked: "
        "name a server that holds everything, or a narrower `base`"
    )


def _lost(error: BaseException) -> str:
    if "timed out" in str(error):
        return "the server fell silent"
    return "the connection was lost"
