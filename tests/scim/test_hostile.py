"""Whatever is sent, the answer is SCIM JSON and never a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from bridge.model import USER_URN

if TYPE_CHECKING:
    from tests.scim.conftest import Client

_ODD = [
    "",
    "\0",
    "\r\n",
    "../",
    "%",
    "%00",
    "%ff",
    '"',
    "'",
    "\\",
    "{id}",
    "\ud800",
    "😀",
    "' or 1=1",
]
_VALUES = st.one_of(st.text(max_size=40), st.sampled_from(_ODD), st.integers().map(str))
_FILTERS = st.builds(
    "{}{}{} {} {}".format,
    st.sampled_from(["", f"{USER_URN}:", "urn:x:"]),
    st.sampled_from(["userName", "displayName", "id", "externalId", "emails[type", "meta.x"]),
    st.sampled_from(["", ".value", "]"]),
    st.sampled_from(["eq", "EQ", "ne", "pr", "gt", "and", ""]),
    st.one_of(_VALUES, _VALUES.map('"{}"'.format), st.sampled_from([r'"\ud800"', r'"\u0000"'])),
)
_PARAMETERS = st.tuples(
    st.sampled_from(["startIndex", "count", "filter", "Filter", "attributes", "sortBy", "", "x"]),
    st.one_of(_VALUES, _FILTERS),
)
_ESCAPED = st.sampled_from([str, lambda text: text.replace("%", "%25").replace("&", "%26")])
_PATHS = st.builds(
    "{}{}".format,
    st.sampled_from(
        ["/scim/v2/Users", "/scim/v2/Groups", "/scim/v2/Schemas", "/scim/v2", "/scim", "", "*"]
    ),
    st.one_of(st.just(""), _VALUES.map("/{}".format), st.just("/")),
)
_METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"])
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"authorization", b"if-none-match", b"user-agent", b"accept", b"range"]),
        st.binary(max_size=40),
    ),
    max_size=3,
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=_METHODS,
    path=_PATHS,
    parameters=st.lists(st.tuples(_PARAMETERS, _ESCAPED), max_size=4),
    headers=_HEADERS,
    known=st.booleans(),
)
def test_no_request_makes_the_service_stumble(
    method: str,
    path: str,
    parameters: list[tuple[tuple[str, str], object]],
    headers: list[tuple[bytes, bytes]],
    known: bool,
    ask: Client,
) -> None:
    query = "&".join(f"{name}={escape(value)}" for (name, value), escape in parameters)  # type: ignore[operator]
    token = [(b"authorization", b"Bearer " + ask.token.encode())] if known else []
    reply = ask.send(
        method=method,
        path=unquote(path),
        query_string=query.encode("utf-8", "surrogatepass"),
        headers=headers + token,
    )
    assert reply.status < 500 or reply.status == 501
    if method == "HEAD" or reply.status == 304:
        assert reply.body == b""
    else:
        assert reply.headers["content-type"] == "application/scim+json"
        assert reply.json["schemas"]
    if reply.status >= 400 and reply.body:
        assert reply.json["status"] == str(reply.status)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=_FILTERS)
def test_no_filter_answers_with_everybody(text: str, ask: Client) -> None:
    reply = ask(f"/scim/v2/Users?filter={quote(text, errors='surrogatepass')}")
    assert reply.status in (200, 400)
    if reply.status == 200:
        assert reply.json["totalResults"] <= 1
