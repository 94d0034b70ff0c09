"""Whatever is sent, the answer is SCIM JSON and never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from scim2_models import ScimFilter
from structlog.testing import capture_logs

from bridge.model import USER_URN
from bridge.scim import application
from bridge.settings import Settings
from tests.scim.conftest import Client, Reply, Template, copied

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
_PATHS_OF_ATTRIBUTES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", f"{USER_URN}:", f"{USER_URN}", "urn:", ",", ":", "."]),
    st.sampled_from(["userName", "emails", "meta", "schemas", "id", "members", "$ref", ""]),
    st.sampled_from(["", ".", ".value", ".x.y", "[", ":", ",,"]),
)
_PARAMETERS = st.tuples(
    st.sampled_from(
        [
            "startIndex",
            "count",
            "filter",
            "Filter",
            "attributes",
            "excludedAttributes",
            "sortBy",
            "cursor",
            "x",
        ]
    ),
    st.one_of(_VALUES, _FILTERS, _PATHS_OF_ATTRIBUTES),
)
_ESCAPED = st.sampled_from([str, lambda text: text.replace("%", "%25").replace("&", "%26")])
_ENDPOINTS = ["/scim/v2/Users", "/scim/v2/Groups", "/scim/v2/Schemas", "/scim/v2", "/scim", "", "*"]
_PATHS = st.builds(
    "{}{}".format,
    st.sampled_from([*_ENDPOINTS, "/scim//v2/Users/"]),
    st.one_of(st.just(""), _VALUES.map("/{}".format), st.sampled_from(["/", "/.search", "//x"])),
)
_METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"])
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            b"authorization if-none-match user-agent accept range content-type content-length"
            b" content-encoding x-forwarded-for".split()
        ),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"*", b"gzip", b"-1", b"99999999999", b'W/"', b"bytes=0-", b"Basic ="]
            ),
        ),
    ),
    max_size=3,
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=5,
)
_MESSAGES = st.dictionaries(
    st.sampled_from(
        ["schemas", "filter", "attributes", "excludedAttributes", "startIndex", "COUNT", "sortBy"]
    ),
    st.one_of(_JSON, _FILTERS, _PATHS_OF_ATTRIBUTES, st.lists(_PATHS_OF_ATTRIBUTES, max_size=3)),
    max_size=4,
)
_BODIES = st.one_of(
    st.binary(max_size=60),
    _JSON.map(lambda value: json.dumps(value).encode()),
    _MESSAGES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 100_000, b" " * 70_000, b'{"filter":"' + b"(" * 9000 + b'"}']),
)


@pytest.fixture(scope="module")
def ask(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One web role for all the requests; its log, a line for each, goes nowhere."""
    for store in copied(template.published, tmp_path_factory.mktemp("hostile")):
        app = application(store, Settings(public_url="https://bridge.example"))
        with capture_logs():
            yield Client(app, template.token, ids=template.ids)


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=_METHODS,
    path=_PATHS,
    parameters=st.lists(st.tuples(_PARAMETERS, _ESCAPED), max_size=4),
    headers=_HEADERS,
    body=_BODIES,
    known=st.booleans(),
)
def test_no_request_makes_the_service_stumble(
    method: str,
    path: str,
    parameters: list[tuple[tuple[str, str], Callable[[str], str]]],
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    known: bool,
    ask: Client,
) -> None:
    query = "&".join(f"{name}={escape(value)}" for (name, value), escape in parameters)
    token = [(b"authorization", b"Bearer " + ask.token.encode())] if known else []
    reply = ask.send(
        method=method,
        path=unquote(path),
        query_string=query.encode("utf-8", "surrogatepass"),
        headers=headers + token,
        body=body,
    )
    assert_in_scim(reply, method)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(["/Users", "/Groups", ""]), message=_MESSAGES)
def test_no_search_makes_the_service_stumble(
    kind: str, message: dict[str, object], ask: Client
) -> None:
    reply = ask(f"/scim/v2{kind}/.search", "POST", body=json.dumps(message).encode())
    assert reply.status in (200, 400)
    assert_in_scim(reply, "POST")


def assert_in_scim(reply: Reply, method: str) -> None:
    assert reply.status < 500 or reply.status == 501
    if method == "HEAD" or reply.status in (204, 304):
        assert reply.body == b""
    else:
        assert reply.headers["content-type"] == "application/scim+json"
        assert reply.json["schemas"]
    if reply.status >= 400 and reply.body:
        assert reply.json["status"] == str(reply.status)
        assert reply.json["detail"]


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(text=_FILTERS)
def test_what_is_no_filter_is_refused_and_not_taken_for_everybody(text: str, ask: Client) -> None:
    reply = ask(f"/scim/v2/Users?filter={quote(text, errors='surrogatepass')}")
    assert reply.status in (200, 400)
    if reply.status == 200:
        ScimFilter(text)
    else:
        assert reply.json["scimType"] in ("invalidFilter", "invalidSyntax")
