"""What differs between the versions of SCIM, as one seam: names, and values to bytes.

The routes know requests, the store's pages and errors; a dialect knows how they look on the
wire. It is made once, for one public URL, and keeps no state of a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bridge.model import Kind, Page, Query, Row
from bridge.scim.errors import ScimError


class Dialect(Protocol):
    """One version of SCIM."""

    root: str
    """The path under which it is served, without a trailing slash."""
    media_type: str
    endpoints: Mapping[Kind, str]
    """The path segment of each kind's list."""
    discovery_endpoints: Sequence[str]

    def resource(self, kind: Kind, row: Row) -> bytes:
        """A resource with its ``meta``."""
        ...

    def listing(self, query: Query, page: Page) -> bytes:
        """The answer to a list request: the page's rows in its order."""
        ...

    def error(self, error: ScimError) -> bytes:
        """The body that tells a client of an error."""
        ...

    def discovery(self, custom: Mapping[str, Sequence[Mapping[str, Any]]]) -> Mapping[str, bytes]:
        """The discovery documents by path below the root, without a leading slash.

        ``custom`` are the extension schemas of the store: attribute definitions by URN.
        """
        ...


def etag(publication: int) -> str:
    """The entity tag (RFC 7644 section 3.14) of a row that this publication changed last.

    It is weak, as the same state may be written in another order of keys one day.
    """
    return f'W/"{publication}"'
