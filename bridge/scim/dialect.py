"""What differs between the versions of SCIM, as one seam: names, and values to bytes.

The routes know requests, the store's pages and errors; a dialect knows how they look on the
wire. It is made once, for one public URL, and keeps no state of a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bridge.model import Kind, Page, Row
from bridge.scim.errors import ScimError
from bridge.scim.projection import Projection
from bridge.scim.schemas import Custom


class Part(NamedTuple):
    """What a list answer has of one kind, and how much of each resource."""

    kind: Kind
    page: Page
    projection: Projection | None = None


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

    def listing(self, start: int, parts: Sequence[Part]) -> bytes:
        """The answer to a list request from place ``start``: the rows of the parts in order."""
        ...

    def error(self, error: ScimError) -> bytes:
        """The body that tells a client of an error."""
        ...

    def discovery(self, custom: Custom) -> Mapping[str, bytes]:
        """The discovery documents by path below the root, without a leading slash.

        ``custom`` are the extension schemas of the store: attribute definitions by URN.
        """
        ...
