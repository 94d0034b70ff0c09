"""The body of ``POST /.search`` as the parameters that it stands for (RFC 7644 section 3.4.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.types import Receive, Scope

from bridge.scim.errors import ScimError

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

_MAX_BODY = 65_536
_SECONDS = 10.0
"""In which a body has to arrive."""
_LISTS = frozenset(("attributes", "excludedattributes"))
_NUMBERS = frozenset(("startindex", "count"))


async def parameters(scope: Scope, receive: Receive) -> dict[str, str]:
    """The parameters by name in lower case, as a query string has them.

    What the request says of the body's type is not looked at: it is JSON or refused. Raises
    `ScimError` 400 ``invalidSyntax``, 408 or 413.
    """
    try:
        message = orjson.loads(await _body(scope, receive))
    except orjson.JSONDecodeError:
        raise _refused("The body is not JSON in UTF-8.") from None
    if not isinstance(message, dict):
        raise _refused("The body is not a JSON object.")
    given = {}
    for name, value in message.items():
        lower = name.lower()
        if lower == "schemas":
            if not isinstance(value, list) or SEARCH_URN not in value:
                raise _refused(f"The body's schemas do not name {SEARCH_URN}.")
        elif value is not None and (text := _text(lower, value)) is not None:
            given[lower] = text
    return given


def _text(name: str, value: Any) -> str | None:
    """A value as a query string has it; None for what is not looked at, such as ``sortBy``."""
    if name in _LISTS:
        paths = value if isinstance(value, list) else [value]
        if not all(isinstance(path, str) for path in paths):
            raise _refused("attributes and excludedAttributes are lists of names.")
        return ",".join(paths)
    if name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise _refused("startIndex and count are whole numbers.")
        return str(value)
    if name == "filter":
        if not isinstance(value, str):
            raise _refused("filter is a text.")
        return value
    return None


async def _body(scope: Scope, receive: Receive) -> bytes:
    length = dict(scope["headers"]).get(b"content-length", b"")
    if length.isdigit() and (len(length) > 9 or int(length) > _MAX_BODY):
        raise _too_long()
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > _MAX_BODY:
                    raise _too_long()
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        detail = f"The body did not arrive within {_SECONDS:.0f} seconds."
        raise ScimError(408, detail, connection="close") from None


def _too_long() -> ScimError:
    # The rest of the body is not waited for.
    return ScimError(413, f"The body is longer than {_MAX_BODY} bytes.", connection="close")


def _refused(detail: str) -> ScimError:
    return ScimError(400, detail, "invalidSyntax")
