"""A request's parameters as a `Query`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from bridge.model import Kind, Query
from bridge.scim import filters
from bridge.scim.errors import ScimError
from bridge.scim.schemas import DEFAULT_RESULTS, MAX_RESULTS, Custom

_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)


def parameters(query_string: bytes) -> dict[str, str]:
    """The parameters by name in lower case, the last one of a name.

    Names ignore case, so that a filter that is spelt oddly is not overlooked. Raises `ScimError`
    400 ``invalidSyntax`` for what is not text.
    """
    try:
        pairs = parse_qsl(
            query_string.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        detail = f"The query is not percent-encoded UTF-8 of at most {_MAX_PARAMETERS} parameters."
        raise ScimError(400, detail, "invalidSyntax") from None
    return {name.lower(): value for name, value in pairs}


def parse(kind: Kind, given: Mapping[str, str], custom: Custom, anywhere: bool = False) -> Query:
    """What a list request asks for (RFC 7644 section 3.4.2); unknown parameters are ignored.

    ``given`` are the parameters by name in lower case, ``custom`` the attributes of the store's
    extension schemas, which a filter may name, and with ``anywhere`` those of the other kind.
    """
    text = given.get("filter")
    return Query(
        kind,
        start=max(1, _integer(given, "startIndex", 1)),
        count=min(max(0, _integer(given, "count", DEFAULT_RESULTS)), MAX_RESULTS),
        filter=None if text is None else filters.parse(kind, text, custom, anywhere),
    )


def _integer(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name.lower())
    if text is None:
        return default
    text = text.strip()  # a "+" before the number arrives as a blank
    if not _NUMBER.fullmatch(text):
        raise ScimError(400, f"{name} is not a whole number.", "invalidValue")
    if len(text) > 18:  # past every position, and past what a database takes
        return -(10**18) if text.startswith("-") else 10**18
    return int(text)
