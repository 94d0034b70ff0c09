"""What this service says of itself: its configuration, resource types and schemas.

Told as it is (RFC 7644 section 4, RFC 7643 sections 5 to 7): nothing can be written, so every
attribute is read-only, and what is never served is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from scim2_models import (
    Attribute,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    EnterpriseUser,
    ETag,
    External,
    Filter,
    Group,
    Meta,
    Mutability,
    Pagination,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    SchemaExtension,
    ServiceProviderConfig,
    Sort,
    User,
)

from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN, Kind

MAX_RESULTS = 1000
"""The rows of the longest list answer."""
DEFAULT_RESULTS = 100
"""The rows of a list answer where the client does not say."""

LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

CORE_URN: Mapping[Kind, str] = {Kind.USER: USER_URN, Kind.GROUP: GROUP_URN}

Custom = Mapping[str, Sequence[Mapping[str, Any]]]
"""The attribute definitions of custom schemas by URN (RFC 7643 section 7)."""

COMMON: Sequence[Mapping[str, Any]] = (
    {"name": "schemas", "type": "reference", "multiValued": True, "caseExact": True},
    {"name": "id", "type": "string", "caseExact": True},
    {"name": "externalId", "type": "string", "caseExact": True},
    {
        "name": "meta",
        "type": "complex",
        "subAttributes": [
            {"name": "resourceType", "type": "string", "caseExact": True},
            {"name": "lastModified", "type": "dateTime"},
            {"name": "version", "type": "string", "caseExact": True},
        ],
    },
)
"""What every resource has beside its schemas' attributes (RFC 7643 section 3.1).

``meta.location`` is not here: it differs with the public URL, and nothing is looked up by it.
"""

_MODELS: Mapping[Kind, type[Resource[Any]]] = {Kind.USER: User, Kind.GROUP: Group}
_NEVER_SERVED = {
    USER_URN: {"password", "groups", "x509Certificates"},
    GROUP_URN: {"members.$ref", "members.display"},
    ENTERPRISE_URN: {"manager.$ref"},
}
_OURS: Mapping[str, Mapping[str, Any]] = {
    # RFC 7643 requires it of who writes; what is served may have a displayName alone.
    "manager.value": {"required": Required.false},
    "members.type": {"canonical_values": [str(Kind.USER)]},
}
"""Where what is served differs from RFC 7643."""


@cache
def core_names(kind: Kind) -> frozenset[str]:
    """The attributes of a kind's core schema, served or not, in lower case."""
    names = [attribute.name for attribute in _MODELS[kind].to_schema().attributes or []]
    names += [attribute["name"] for attribute in COMMON]
    return frozenset(str(name).lower() for name in names)


class Discovery:
    """The discovery documents under one base URL, made once for each set of custom schemas."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._made_for: bytes | None = None
        self._documents: Mapping[str, bytes] = {}

    def documents(self, custom: Custom) -> Mapping[str, bytes]:
        """Every document by its path below the base; ``custom`` are attributes by URN."""
        made_for = orjson.dumps(custom, option=orjson.OPT_SORT_KEYS)
        if made_for != self._made_for:
            self._documents = self._make(custom)
            self._made_for = made_for
        return self._documents

    def _make(self, custom: Custom) -> Mapping[str, bytes]:
        documents = {"ServiceProviderConfig": self._dump(_configuration(), "ServiceProviderConfig")}
        for endpoint, resources in (
            ("ResourceTypes", _resource_types(custom)),
            ("Schemas", _schemas(custom)),
        ):
            paths = [f"{endpoint}/{resource.id}" for resource in resources]
            dumped = [self._dump(*pair) for pair in zip(resources, paths, strict=True)]
            documents.update(zip(paths, dumped, strict=True))
            documents[endpoint] = _list(dumped)
        return documents

    def _dump(self, resource: Resource[Any], path: str) -> bytes:
        resource.meta = Meta(resource_type=type(resource).__name__, location=f"{self._base}/{path}")
        return orjson.dumps(resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _list(resources: Sequence[bytes]) -> bytes:
    count = len(resources)
    return orjson.dumps(
        {
            "schemas": [LIST_URN],
            "totalResults": count,
            "startIndex": 1,
            "itemsPerPage": count,
            "Resources": [orjson.Fragment(resource) for resource in resources],
        }
    )


def _configuration() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=False),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=False,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=DEFAULT_RESULTS,
            max_page_size=MAX_RESULTS,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token of the bridge as `Authorization: Bearer TOKEN`, or bare.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
                primary=True,
            ),
            AuthenticationScheme(
                type=AuthenticationScheme.Type.httpbasic,
                name="Basic",
                description="A token of the bridge as the password; the user name is ignored.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc7617"),
            ),
        ],
    )


def _resource_types(custom: Iterable[str]) -> list[ResourceType]:
    user, group = (ResourceType.from_resource(model) for model in (User, Group))
    user.description = "A person."
    user.schema_extensions = [
        SchemaExtension.model_validate({"schema": urn, "required": False})
        for urn in (ENTERPRISE_URN, *sorted(custom))
    ]
    group.description = "A group of people."
    return [user, group]


def _schemas(custom: Custom) -> list[Schema]:
    schemas = [model.to_schema() for model in (User, Group, EnterpriseUser)]
    for schema in schemas:
        never = _NEVER_SERVED[str(schema.id)]
        schema.attributes = _served(schema.attributes or [], "", never)
    for urn, attributes in sorted(custom.items()):
        schema = Schema.model_validate({"id": urn, "name": _name(urn), "attributes": attributes})
        schema.description = "Attributes that this company added."
        schema.attributes = _served(schema.attributes or [], "", set())
        schemas.append(schema)
    return schemas


def _served(attributes: Iterable[Attribute], parent: str, never: set[str]) -> list[Attribute]:
    """The attributes that are served, read-only, however deep."""
    served = [each for each in attributes if f"{parent}{each.name}" not in never]
    for attribute in served:
        attribute.mutability = Mutability.read_only
        for name, value in _OURS.get(f"{parent}{attribute.name}", {}).items():
            setattr(attribute, name, value)
        if attribute.sub_attributes:
            attribute.sub_attributes = _served(
                attribute.sub_attributes, f"{parent}{attribute.name}.", never
            )
    return served


def _name(urn: str) -> str:
    """A short name for a custom schema: ``example`` of ``urn:...:extension:example:2.0:User``."""
    _, _, tail = urn.partition(":extension:")
    return tail.split(":")[0] or str(Kind.USER)
