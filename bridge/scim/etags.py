"""Entity tags: which version of a resource a client has already (RFC 7644 section 3.14)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(rb'(?:W/)?("[^"]*")')


def etag(publication: int) -> str:
    """The tag of a row that this publication changed last.

    It is weak, as the same state may be written in another order of keys one day.
    """
    return f'W/"{publication}"'


def is_known(tag: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether ``If-None-Match`` names the tag, compared weakly (RFC 9110 section 13.1.2)."""
    opaque = tag.removeprefix("W/").encode()
    for name, value in headers:
        if name == b"if-none-match" and (value.strip() == b"*" or opaque in _TAG.findall(value)):
            return True
    return False
