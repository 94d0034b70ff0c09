"""What the web role answers, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from scim2_models import Context, EnterpriseUser, Extension, Group, ListResponse, Schema, User
from structlog.testing import capture_logs

from bridge.model import ENTERPRISE_URN, USER_URN
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store

if TYPE_CHECKING:
    from tests.scim.conftest import Client, Reply

BASE = "https://bridge.example/scim/v2"
CUSTOM = "urn:ietf:params:scim:schemas:extension:example:2.0:User"
LISTS = ["/scim/v2/Users", "/scim/v2/Groups"]
ONES = ["/scim/v2/Users/x", "/scim/v2/Groups/x"]
RESOURCES = [*LISTS, *ONES]
SEARCHES = ["/scim/v2/Users/.search", "/scim/v2/Groups/.search", "/scim/v2/.search"]
DISCOVERY = [
    "/scim/v2/ServiceProviderConfig",
    "/scim/v2/ResourceTypes",
    "/scim/v2/ResourceTypes/User",
    "/scim/v2/Schemas",
    f"/scim/v2/Schemas/{USER_URN}",
]


def test_a_user_is_the_stored_document_with_meta(ask: Client) -> None:
    answer = ask(f"/scim/v2/Users/{ask.ids['anna']}").json
    assert answer == {
        "schemas": [USER_URN, CUSTOM],
        "id": ask.ids["anna"],
        "userName": "anna@example.com",
        "externalId": "P1",
        "name": {"givenName": "Anna", "familyName": "Example"},
        "emails": [{"value": "anna@example.com", "primary": True}],
        "active": True,
        CUSTOM: {"startDate": "2020-01-01"},
        "meta": {
            "resourceType": "User",
            "location": f"{BASE}/Users/{ask.ids['anna']}",
            "lastModified": answer["meta"]["lastModified"],
            "version": 'W/"1"',
        },
    }
    assert answer["meta"]["lastModified"].startswith("2026-06-15T12:")


def test_a_group_has_its_members(ask: Client) -> None:
    answer = ask(f"/scim/v2/Groups/{ask.ids['sales']}").json
    assert answer["displayName"] == "Department-Sales"
    members = {ask.ids["anna"], ask.ids["jörg"]}
    assert {member["value"] for member in answer["members"]} == members
    assert {member["type"] for member in answer["members"]} == {"User"}


def test_lists_are_what_scim_models_read(ask: Client) -> None:
    schema = Schema.model_validate_json(ask(f"/scim/v2/Schemas/{CUSTOM}").body)
    model = User[EnterpriseUser | Extension.from_schema(schema)]  # type: ignore[misc,valid-type]
    users = ListResponse[model]  # type: ignore[valid-type]
    read = users.model_validate_json(
        ask("/scim/v2/Users").body, scim_ctx=Context.RESOURCE_QUERY_RESPONSE
    )
    assert read.total_results == 4
    groups = ListResponse[Group].model_validate_json(
        ask("/scim/v2/Groups").body, scim_ctx=Context.RESOURCE_QUERY_RESPONSE
    )
    assert groups.total_results == 3


def test_paging_sees_everybody_once_and_in_order(ask: Client) -> None:
    pages = [ask(f"/scim/v2/Users?startIndex={n}&count=1").json for n in range(1, 6)]
    seen = [row["id"] for page in pages for row in page["Resources"]]
    assert seen == [ask.ids[name] for name in ("anna", "ben", "jörg", "zoe")]
    assert {page["totalResults"] for page in pages} == {4}


def test_answers_are_the_same_where_the_store_is_read_in_threads(
    ask: Client, store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.scim.routes.is_sqlite", lambda _: False)
    threaded = replace(ask, app=application(store, settings))
    for path in ("/scim/v2/Users", f"/scim/v2/Groups/{ask.ids['sales']}", "/scim/v2/Schemas"):
        assert threaded(path).body == ask(path).body


def test_custom_schemas_of_the_store_are_described(ask: Client) -> None:
    user = ask("/scim/v2/ResourceTypes/User").json
    extensions = [each["schema"] for each in user["schemaExtensions"]]
    assert extensions == [ENTERPRISE_URN, CUSTOM]
    (attribute,) = ask(f"/scim/v2/Schemas/{CUSTOM}").json["attributes"]
    assert attribute["name"] == "startDate"
    assert attribute["mutability"] == "readOnly"


@pytest.mark.parametrize("path", [*RESOURCES, "/scim/v2/Users?filter=nonsense"])
def test_resources_wait_for_the_first_load(path: str, unpublished: Client) -> None:
    assert_waiting(unpublished(path))


@pytest.mark.parametrize("path", SEARCHES)
def test_searches_wait_for_the_first_load(path: str, unpublished: Client) -> None:
    assert_waiting(unpublished(path, "POST", body=b"nonsense"))


def assert_waiting(reply: Reply) -> None:
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json["status"] == "503"


@pytest.mark.parametrize("path", DISCOVERY)
def test_discovery_does_not_wait(path: str, unpublished: Client) -> None:
    assert unpublished(path).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in LISTS),
        *((method, path) for method in ("PUT", "PATCH", "DELETE") for path in ONES),
    ],
)
def test_resources_cannot_be_written(method: str, path: str, ask: Client) -> None:
    reply = ask(path, method, body=b"{}")
    assert (reply.status, reply.json["status"]) == (501, "501")


@pytest.mark.parametrize(
    ("methods", "paths", "allowed"),
    [
        ("PUT PATCH DELETE TRACE get", LISTS, "GET HEAD OPTIONS"),
        ("POST TRACE", ONES, "GET HEAD OPTIONS"),
        ("POST PUT PATCH DELETE", DISCOVERY, "GET HEAD OPTIONS"),
        ("PUT PATCH", ["/scim/v2/.search"], "POST OPTIONS"),
        ("GET HEAD", SEARCHES, "POST OPTIONS"),
    ],
)
def test_what_scim_does_not_have_at_a_path_is_refused_with_what_is_allowed(
    methods: str, paths: list[str], allowed: str, ask: Client
) -> None:
    for path in paths:
        for method in methods.split():
            reply = ask(path, method)
            assert reply.status == 405
            assert reply.headers["allow"].replace(",", "") == allowed
            assert method == "HEAD" or reply.json["status"] == "405"
        told = ask(path, "OPTIONS")
        assert (told.status, told.body) == (204, b"")
        assert told.headers == {"allow": reply.headers["allow"]}


@pytest.mark.parametrize("path", [*DISCOVERY, "/scim/v2/Users", "/scim/v2/Groups?count=1"])
def test_head_is_get_without_the_body(path: str, ask: Client) -> None:
    got, headed = ask(path), ask(path, "HEAD")
    assert (headed.status, headed.headers, headed.body) == (200, got.headers, b"")
    assert int(headed.headers["content-length"]) == len(got.body)


@pytest.mark.parametrize("path", [*DISCOVERY, "/scim/v2/Users", "/scim/v2/Groups"])
def test_slashes_too_many_change_nothing(path: str, ask: Client) -> None:
    expected = ask(path).body
    for spelt in (f"{path}/", f"{path}//", path.replace("/v2/", "/v2//"), f"//{path}"):
        assert ask(spelt).body == expected


def test_an_id_may_be_percent_encoded(ask: Client) -> None:
    id = ask.ids["anna"]
    encoded = "".join(f"%{ord(letter):02X}" for letter in id)
    assert ask(f"/scim/v2/Users/{encoded}").json["id"] == id


def test_an_unchanged_resource_is_not_sent_again(ask: Client) -> None:
    path = f"/scim/v2/Users/{ask.ids['anna']}"
    tag = ask(path).headers["etag"]
    assert tag == ask(path).json["meta"]["version"]
    bearer = {"Authorization": f"Bearer {ask.token}"}
    for method in ("GET", "HEAD"):
        for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', f'W/"a,b",{tag}', " *"):
            again = ask(path, method, headers=bearer | {"If-None-Match": known})
            assert (again.status, again.body, again.headers) == (304, b"", {"etag": tag})
        for other in ('W/"0"', '""', "1", 'W/"11"', '"*"'):
            reply = ask(path, method, headers=bearer | {"If-None-Match": other})
            assert (reply.status, reply.headers["etag"]) == (200, tag)


def test_nobody_is_not_unchanged(ask: Client) -> None:
    headers = {"Authorization": f"Bearer {ask.token}", "If-None-Match": "*"}
    assert ask("/scim/v2/Users/nobody", headers=headers).status == 404


def test_members_that_are_not_wanted_are_not_read(ask: Client, store: Store) -> None:
    with store.write() as c:
        c.exec_driver_sql("DROP TABLE membership")
    without = "excludedAttributes=members"
    for path in (
        f"Groups?{without}",
        f"Groups/{ask.ids['sales']}?{without}",
        "Groups?attributes=id",
    ):
        assert ask(f"/scim/v2/{path}").status == 200
    for path in ("Groups", f"Groups/{ask.ids['sales']}", "Groups?attributes=members.value"):
        assert ask(f"/scim/v2/{path}").status == 503


def test_a_long_url_is_refused(ask: Client) -> None:
    reply = ask("/scim/v2/Users?x=" + "a" * 20_000)
    assert (reply.status, reply.json["status"]) == (414, "414")


def test_everything_outside_scim_is_not_found_in_scim(ask: Client) -> None:
    for path in ("/", "/metrics", "//metrics", "/scimitar"):
        assert ask(path, headers={}).json["status"] == "404"


def test_a_store_that_cannot_be_read_is_told_as_a_reason_to_wait(ask: Client, store: Store) -> None:
    assert ask("/scim/v2/Users").status == 200
    with store.write() as c:
        c.exec_driver_sql("DROP TABLE publication")
    reply = ask("/scim/v2/Users")
    assert (reply.status, reply.json["status"]) == (503, "503")
    assert int(reply.headers["retry-after"]) > 0
    assert "users" not in reply.json["detail"]


def test_an_unforeseen_error_shows_a_reference_and_nothing_else(
    ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("anna@example.com")

    monkeypatch.setattr("bridge.scim.query.parse", broken)
    with capture_logs() as logged:
        reply = ask("/scim/v2/Users")
    (failure,) = (line for line in logged if line["event"] == "unforeseen error")
    assert (reply.status, reply.json["status"]) == (500, "500")
    assert failure["reference"] in reply.json["detail"]
    assert any("test_routes.py" in place for place in failure["places"])
    assert "anna" not in str(logged) + reply.body.decode()


def test_the_access_log_names_the_route_and_no_person(ask: Client) -> None:
    with capture_logs() as logged:
        ask("/scim/v2/Users?filter=userName+eq+%22anna@example.com%22")
        ask(f"/scim/v2/Users/{ask.ids['anna']}")
        ask("/scim/v2/Users/anna@example.com")
        ask("/nothing/anna@example.com")
    assert [(line["method"], line["route"], line["status"], line["client"]) for line in logged] == [
        ("GET", "/scim/v2/Users", 200, "okta"),
        ("GET", "/scim/v2/Users/{id}", 200, "okta"),
        ("GET", "/scim/v2/Users/{id}", 404, "okta"),
        ("GET", "", 404, ""),
    ]
    assert "anna" not in str(logged)
    assert all(line["ms"] >= 0 for line in logged)
