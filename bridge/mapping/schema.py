"""The custom attributes as a SCIM schema says them (RFC 7643 section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.mapping.targets import Targets

# SCIM has no day without a time; it is served as text such as 2026-07-04.
_SCIM_TYPES = {"date": "string"}


Schemas = Mapping[str, list[dict[str, Any]]]
"""The attribute definitions of each custom schema, by its URN."""


def custom_schemas(targets: Targets) -> Schemas:
    """The attribute definitions of each custom schema, by its URN."""
    if not targets.urn:
        return {}
    definitions = []
    for target in targets.custom:
        type_ = _SCIM_TYPES.get(target.type, target.type)
        definition: dict[str, Any] = {
            "name": target.path[-1],
            "type": type_,
            "multiValued": False,
            "description": target.description,
            "required": target.required,
            "mutability": "readOnly",
            "returned": "default",
            "uniqueness": "server" if target.options.unique else "none",
        }
        if type_ in ("string", "reference"):
            definition["caseExact"] = True
        if type_ == "reference":
            definition["referenceTypes"] = ["uri"]
        definitions.append(definition)
    return {targets.urn: definitions}


def clash(schemas: Schemas, others: Schemas) -> tuple[str, str, str] | None:
    """What two files define differently: an attribute as ``URN:name``, and its type in each."""
    for urn, attributes in schemas.items():
        types = {each["name"].casefold(): each["type"] for each in others.get(urn, ())}
        for each in attributes:
            other = types.get(each["name"].casefold())
            if other is not None and other != each["type"]:
                return f"{urn}:{each['name']}", each["type"], other
    return None
