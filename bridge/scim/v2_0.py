"""SCIM 2.0 on the wire (RFC 7643, RFC 7644).

Documents come from the store as bytes, ready but for ``meta``. It is spliced in before the last
brace, and a list joins bytes: no resource is parsed or rendered to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from bridge.model import Kind, Row
from bridge.scim.dialect import Part
from bridge.scim.errors import ScimError
from bridge.scim.etags import etag
from bridge.scim.schemas import LIST_URN, Custom, Discovery

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
        return b"".join(self._pieces(kind, (row,)))[:-1]

    def listing(self, start: int, parts: Sequence[Part]) -> bytes:
        pieces: list[bytes] = []
        total = count = 0
        for kind, page, projection in parts:
            total += page.total
            count += len(page.rows)
            if projection is None:
                pieces += self._pieces(kind, page.rows)
            else:
                for row in page.rows:
                    pieces += (projection.of(self.resource(kind, row)), b",")
        head = b'{"schemas":["%b"],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,' % (
            LIST_URN.encode(), total, start, count,
        )  # fmt: skip
        if pieces:
            pieces[-1] = pieces[-1][:-1]
        return b"".join((head, b'"Resources":[', *pieces, b"]}"))

    @staticmethod
    def error(error: ScimError) -> bytes:
        body = {"schemas": [_ERROR_URN], "status": str(error.status), "detail": error.detail}
        if error.scim_type:
            body["scimType"] = error.scim_type
        return orjson.dumps(body)

    def discovery(self, custom: Custom) -> Mapping[str, bytes]:
        return self._discovery.documents(custom)

    def _pieces(self, kind: Kind, rows: Iterable[Row]) -> list[bytes]:
        """What the rows are joined from; a comma stands after each, the last one included."""
        meta = self._meta[kind]
        pieces: list[bytes] = []
        last, end = -1, b""
        for id, document, publication, modified in rows:
            if publication != last:  # neighbours were mostly changed by the same one
                last, end = publication, _stamp(publication, modified)
            # Copying a document without its last brace costs less than a memoryview of it.
            pieces += (document[:-1], meta, id.encode(), end)
        return pieces


@lru_cache(maxsize=4096)
def _stamp(publication: int, modified: datetime) -> bytes:
    """What follows the id in ``meta``; one publication stamps many rows alike."""
    at = modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'","lastModified":"%b","version":%b}},' % (at.encode(), orjson.dumps(etag(publication)))
