"""SCIM 2.0 on the wire, down to the byte."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from scim2_models import Error, ListResponse, ResourceType, Schema, ServiceProviderConfig

from bridge.model import Kind, Page, Row
from bridge.scim.dialect import Part
from bridge.scim.errors import ScimError
from bridge.scim.v2_0 import Version2

BASE = "https://bridge.example"
AT = datetime(2026, 6, 15, 12, 0, 0, 123456, tzinfo=UTC)
CUSTOM = {
    "urn:ietf:params:scim:schemas:extension:example:2.0:User": [
        {"name": "startDate", "type": "string", "multiValued": False, "required": False},
        {"name": "onLeave", "type": "boolean", "multiValued": False, "required": False},
    ]
}


def row(n: int) -> Row:
    return Row(f"id-{n}", b'{"schemas":["x"],"id":"id-%d"}' % n, publication=7, modified=AT)


def test_meta_is_spliced_in_before_the_last_brace() -> None:
    assert Version2(BASE).resource(Kind.USER, row(1)) == (
        b'{"schemas":["x"],"id":"id-1","meta":{"resourceType":"User",'
        b'"location":"https://bridge.example/scim/v2/Users/id-1",'
        b'"lastModified":"2026-06-15T12:00:00.123Z","version":"W/\\"7\\""}}'
    )


def test_a_whole_second_is_written_with_its_milliseconds() -> None:
    at = datetime(2026, 6, 15, 12, tzinfo=UTC)
    document = Version2(BASE).resource(Kind.GROUP, Row("g", b'{"id":"g"}', 1, at))
    assert orjson.loads(document)["meta"] == {
        "resourceType": "Group",
        "location": "https://bridge.example/scim/v2/Groups/g",
        "lastModified": "2026-06-15T12:00:00.000Z",
        "version": 'W/"1"',
    }


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_list_holds_its_rows_in_order_and_counts_them(rows: int) -> None:
    page = Page(250, [row(n) for n in range(rows)])
    answer = orjson.loads(Version2(BASE).listing(101, [Part(Kind.USER, page)]))
    resources = answer.pop("Resources")
    assert [each["id"] for each in resources] == [f"id-{n}" for n in range(rows)]
    assert all(each["meta"]["resourceType"] == "User" for each in resources)
    assert answer == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 250,
        "startIndex": 101,
        "itemsPerPage": rows,
    }


def test_an_error_has_its_status_as_text() -> None:
    body = Version2(BASE).error(ScimError(400, "No.", "invalidFilter"))
    assert orjson.loads(body) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "400",
        "scimType": "invalidFilter",
        "detail": "No.",
    }
    Error.model_validate_json(body)


def test_an_error_without_a_type_has_none() -> None:
    assert "scimType" not in orjson.loads(Version2(BASE).error(ScimError(404, "No.")))


def test_discovery_documents_are_what_scim_models_read() -> None:
    documents = Version2(BASE).discovery(CUSTOM)
    ServiceProviderConfig.model_validate_json(documents["ServiceProviderConfig"])
    types = ListResponse[ResourceType].model_validate_json(documents["ResourceTypes"])
    schemas = ListResponse[Schema].model_validate_json(documents["Schemas"])
    assert types.total_results == len(types.resources or []) == 2
    assert {str(schema.id) for schema in schemas.resources or []} == {
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        *CUSTOM,
    }


def test_every_discovery_document_stands_at_its_location() -> None:
    documents = Version2(BASE).discovery(CUSTOM)
    for path, document in documents.items():
        parsed = orjson.loads(document)
        if "Resources" not in parsed:
            assert parsed["meta"]["location"] == f"{BASE}/scim/v2/{path}"
    for path in ("ResourceTypes", "Schemas"):
        for resource in orjson.loads(documents[path])["Resources"]:
            assert orjson.loads(documents[f"{path}/{resource['id']}"]) == resource


def test_nothing_that_is_described_can_be_written() -> None:
    def mutabilities(attributes: list[dict[str, object]]) -> set[object]:
        found: set[object] = set()
        for attribute in attributes:
            found.add(attribute["mutability"])
            found |= mutabilities(attribute.get("subAttributes", []))  # type: ignore[arg-type]
        return found

    schemas = orjson.loads(Version2(BASE).discovery(CUSTOM)["Schemas"])["Resources"]
    assert {m for schema in schemas for m in mutabilities(schema["attributes"])} == {"readOnly"}


def test_what_is_never_served_is_not_described() -> None:
    documents = Version2(BASE).discovery({})
    user = orjson.loads(documents["Schemas/urn:ietf:params:scim:schemas:core:2.0:User"])
    assert not {"password", "groups"} & {each["name"] for each in user["attributes"]}
    group = orjson.loads(documents["Schemas/urn:ietf:params:scim:schemas:core:2.0:Group"])
    (members,) = (each for each in group["attributes"] if each["name"] == "members")
    assert [each["name"] for each in members["subAttributes"]] == ["value", "type"]


def test_the_configuration_tells_what_is_not_supported() -> None:
    told = orjson.loads(Version2(BASE).discovery({})["ServiceProviderConfig"])
    supported = {name: each["supported"] for name, each in told.items() if "supported" in each}
    assert supported == {
        "patch": False,
        "bulk": False,
        "filter": True,
        "changePassword": False,
        "sort": False,
        "etag": True,
    }
    assert told["filter"]["maxResults"] == 1000
    types = [scheme["type"] for scheme in told["authenticationSchemes"]]
    assert types == ["oauthbearertoken", "httpbasic"]


def test_a_custom_schema_is_an_extension_of_users_alone() -> None:
    documents = Version2(BASE).discovery(CUSTOM)
    user = orjson.loads(documents["ResourceTypes/User"])
    assert {each["schema"] for each in user["schemaExtensions"]} > set(CUSTOM)
    group = orjson.loads(documents["ResourceTypes/Group"])
    assert not group.get("schemaExtensions")


def test_a_schema_that_is_published_later_shows() -> None:
    dialect = Version2(BASE)
    assert dialect.discovery({}).keys() < dialect.discovery(CUSTOM).keys()
