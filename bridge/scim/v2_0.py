"""SCIM 2.0 on the wire (RFC 7643, RFC 7644).

Documents come from the store as bytes, ready but for ``meta``. It is spliced in before the last
brace, and a list joins bytes: no resource is parsed or rendered to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from bridge.model import Kind, Page, Query, Row
from bridge.scim.dialect import etag
from bridge.scim.errors import ScimError
from bridge.scim.schemas import LIST_URN, Discovery

_ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class Version2:
    """The dialect of SCIM 2.0 under one public URL."""

    root = "/scim/v2"
    media_type = "application/scim+json"
    endpoints: Mapping[Kind, str] = {Kind.USER: "Users", Kind.GROUP: "Groups"}
    discovery_endpoints: Sequence[str] = ("ServiceProviderConfig", "ResourceTypes", "Schemas")

    def __init__(self, base_url: str) -> None:
        base = base_url + self.root
        self._meta = {
            kind: b',"meta":{"resourceType":%b,"location":%b'
            % (orjson.dumps(kind), orjson.dumps(f"{base}/{endpoint}/")[:-1])
            for kind, endpoint in self.endpoints.items()
        }
        self._discovery = Discovery(base)

    def resource(self, kind: Kind, row: Row) -> bytes:
        return b"".join(self._pieces(kind, (row,))[1:])

    def listing(self, query: Query, page: Page) -> bytes:
        pieces = self._pieces(query.kind, page.rows)
        head = b'{"schemas":["%b"],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,' % (
            LIST_URN.encode(), page.total, query.start, len(page.rows),
        )  # fmt: skip
        return b"".join((head, b'"Resources":[', *pieces[1:], b"]}"))

    def error(self, error: ScimError) -> bytes:
        body = {"schemas": [_ERROR_URN], "status": str(error.status), "detail": error.detail}
        if error.scim_type:
            body["scimType"] = error.scim_type
        return orjson.dumps(body)

    def discovery(self, custom: Mapping[str, Sequence[Mapping[str, Any]]]) -> Mapping[str, bytes]:
        return self._discovery.documents(custom)

    def _pieces(self, kind: Kind, rows: Iterable[Row]) -> list[bytes | memoryview]:
        """What the rows are joined from; a comma stands before each, the first one included."""
        meta = self._meta[kind]
        pieces: list[bytes | memoryview] = []
        last, end = -1, b""
        for id, document, publication, modified in rows:
            if publication != last:  # neighbours were mostly changed by the same one
                last, end = publication, _stamp(publication, modified)
            # A memoryview leaves out the last brace without copying the document.
            pieces += (b",", memoryview(document)[:-1], meta, id.encode(), end)
        return pieces


@lru_cache(maxsize=4096)
def _stamp(publication: int, modified: datetime) -> bytes:
    """What follows the id in ``meta``; one publication stamps many rows alike."""
    at = modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'","lastModified":"%b","version":%b}}' % (at.encode(), orjson.dumps(etag(publication)))
