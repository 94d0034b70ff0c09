"""The JSON Schema of the mapping file (draft 7), for completion and first checks in an editor.

It is wide: what `bridge check` finds out about expressions, and about how keys go together, no
schema can say. Whatever loads is valid by it; a key that does not exist is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from bridge.mapping import examples, presets, targets
from bridge.mapping.document import KEYS, NEEDED
from bridge.mapping.effective import own_text
from bridge.mapping.faults import Faults
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.group_texts import NESTED
from bridge.mapping.limits import DEFAULTS, HINT
from bridge.mapping.schedule import CRON_HINT
from bridge.mapping.schedule import HINT as INTERVAL_HINT
from bridge.mapping.source_section import SourceModel
from bridge.mapping.targets import OPTIONS, TYPES
from bridge.mapping.yaml_text import parse, plain

Schema = dict[str, Any]

_SCALAR = ["string", "number", "boolean", "null"]
_SECRET = r"^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$"

_SAYS = {
    "version": "The version of the format: 1.",
    "name": "The source's permanent name, a part of every person's id.",
    "extends": "The preset that this file starts from; what stands here takes its place.",
    "source": "How the source is reached: its type, and that type's own keys.",
    "schedule": "When the source is read.",
    "limits": f"How much one run may change without being asked: {HINT}.",
    "protect": "People who are never deactivated automatically.",
    "timezone": "The zone of dates that have none, such as Europe/Berlin.",
    "attributes": "The source's names that expressions may use.",
    "lookups": "Tables by name, for the function lookup.",
    "vars": "Names worked out once per record, from top to bottom.",
    "key": "The person's permanent key.",
    "external_id": "The SCIM externalId.",
    "prefer": "Which record of a person speaks: the highest value wins.",
    "skip": "Who is not served, each rule with a reason.",
    "active": "Who is active: the first rule that matches decides.",
    "user": "The SCIM attributes of a user (RFC 7643 section 4.1).",
    "enterprise": "The attributes of the enterprise extension (RFC 7643 section 4.3).",
    "custom": "Attributes of your own, under a URN of your own.",
    "groups": "Groups of a directory, and groups worked out from people.",
    "tests": "Records and what they must become; `bridge test` runs them.",
}


def json_schema(kinds: Mapping[str, type[SourceModel]]) -> Schema:
    """The schema of a file; ``kinds`` are the settings of each type of source."""
    sections = _sections(kinds)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A mapping file of the bridge",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": _SAYS[key], **sections[key]} for key in KEYS},
        "if": {"required": ["extends"]},
        "then": {"required": ["version", "name"]},
        "else": {"required": list(NEEDED), "properties": {"source": {"required": ["type"]}}},
        "allOf": [*_by_type(kinds), *_by_preset()],
        "definitions": {
            "expression": {"type": _SCALAR, "description": _functions()},
            "value": _value({}),
            "rule": _table({"when": _ref("expression"), "then": {"type": "boolean"},
                            "reason": {"type": "string"}}),
            **{f"source-{name}": _source(model) for name, model in kinds.items()},
        },
    }  # fmt: skip


def _sections(kinds: Mapping[str, Any]) -> dict[str, Schema]:
    interval = {"type": ["string", "null"], "description": INTERVAL_HINT}
    limits = {name: {"type": [*_SCALAR], "default": str(limit)} for name, limit in DEFAULTS.items()}
    person = _table(dict.fromkeys(sorted(targets.TEXTS), _ref("value")))
    person["properties"]["name"] = _table(dict.fromkeys(sorted(targets.NAME), _ref("value")))
    for name, parts in sorted(targets.LISTS.items()):
        fixed = {"type": {"type": "string"}, "primary": {"type": "boolean"}}
        element = _table({**fixed, **dict.fromkeys(sorted(parts), _ref("value"))})
        person["properties"][name] = _list(element)
    manager = _table({"value": _ref("value"), "displayName": _ref("value")})
    return {
        "version": {"const": 1},
        "name": {"type": "string"},
        "extends": {"enum": list(presets.names())},
        "source": {"type": "object", "properties": {"type": {"enum": sorted(kinds)}}},
        "schedule": _table({"changes": interval, "full": {**interval, "description": CRON_HINT}}),
        "limits": _table({**limits, "first_load": {"enum": ["hold", "publish"]}}),
        "protect": _list({"type": _SCALAR}),
        "timezone": {"type": ["string", "null"]},
        "attributes": _list({"type": "string"}),
        "lookups": _open(_open({"type": _SCALAR})),
        "vars": _open(_ref("expression")),
        "key": _ref("expression"),
        "external_id": _ref("expression"),
        "prefer": _list(_ref("expression")),
        "skip": _list(_ref("rule")),
        "active": _table({"rules": _list(_ref("rule")), "otherwise": _ref("rule")}),
        "user": person,
        "enterprise": _table(
            {**dict.fromkeys(sorted(targets.ENTERPRISE), _ref("value")), "manager": manager}
        ),
        "custom": _table(
            {
                "urn": {"type": "string"},
                "attributes": _open(
                    _value({"type": {"enum": list(TYPES)}, "description": {"type": "string"}})
                ),
            }
        ),
        "groups": _list(
            _table(
                {
                    **dict.fromkeys(("key", "displayName", "members"), _ref("expression")),
                    **{key: {"type": "string"} for key in ("base", "filter")},
                    "nested": {"enum": list(NESTED)},
                }
            )
        ),
        "tests": _list(_table({key: {} for key in examples.KEYS})),
    }


def _value(more: Schema) -> Schema:
    """An expression, or a table of it and its options."""
    options: Schema = {key: {"type": _SCALAR} for key in OPTIONS}
    options |= {
        "expr": _ref("expression"),
        "required": {"type": "boolean"},
        "max_length": {"type": "integer"},
        "on": {"enum": ["always", "create"]},
        "if_empty": {"enum": ["clear", "keep"]},
        "unique": _list(_ref("expression")),
        "sensitive": {"type": "boolean"},
    }
    table = _table({**options, **more})
    return {**table, "type": [*_SCALAR, "object"], "description": _functions()}


def _source(model: type[SourceModel]) -> Schema:
    """The keys of one type of source; those that are needed are said where nothing is extended."""
    assert issubclass(model, BaseModel)
    schema = model.model_json_schema(ref_template="#/definitions/{model}")
    inner = schema.pop("$defs", {})
    properties = {name: _resolved(field, inner) for name, field in schema["properties"].items()}
    return {**_table({"type": {"type": "string"}, **properties}), "type": "object"}


def _resolved(node: Any, inner: Mapping[str, Any]) -> Any:
    """A field as a file writes it: one text may be a list of one, a time is `5 seconds`."""
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolved(inner[node["$ref"].rpartition("/")[2]], inner)
    node = {key: _deeper(key, value, inner) for key, value in node.items() if key != "title"}
    if "anyOf" in node:  # a field that may be left out
        given = next(each for each in node.pop("anyOf") if each["type"] != ["null"])
        node = {**given, "description": node.get("description", "")}
    match node.get("format"):
        case "duration":
            return {"type": "string", "description": node.get("description", "")}
        case "password":
            return {"type": "string", "pattern": _SECRET,
                    "description": node.get("description", "")}  # fmt: skip
    if node.get("type") == "array":
        return {"type": ["array", "string", "null"],
                "items": node["items"], "description": node.get("description", "")}  # fmt: skip
    if isinstance(node.get("type"), str):
        node["type"] = sorted({node["type"], "null"})
    return node


def _deeper(key: str, value: Any, inner: Mapping[str, Any]) -> Any:
    if key == "properties":
        return {name: _resolved(field, inner) for name, field in value.items()}
    if key == "anyOf":
        return [_resolved(each, inner) for each in value]
    return _resolved(value, inner) if key in ("items", "additionalProperties") else value


def _by_type(kinds: Mapping[str, type[SourceModel]]) -> Iterator[Schema]:
    for name, model in sorted(kinds.items()):
        assert issubclass(model, BaseModel)
        typed = {"properties": {"source": {"properties": {"type": {"const": name}},
                                           "required": ["type"]}}}  # fmt: skip
        yield {"if": {**typed, "required": ["source"]},
               "then": {"properties": {"source": _ref(f"source-{name}")}}}  # fmt: skip
        needed = [key for key, field in model.model_fields.items() if field.is_required()]
        yield {
            "if": {**typed, "required": ["source"], "not": {"required": ["extends"]}},
            "then": {"properties": {"source": {"required": needed}}},
        }


def _by_preset() -> Iterator[Schema]:
    """A file that extends a preset need not repeat the type of its source."""
    for name in presets.names():
        text = presets.text(name)
        tree = parse(own_text(text), Faults(name, text))
        assert tree is not None  # what the bridge ships can be read
        preset = plain(tree)
        yield {
            "if": {"properties": {"extends": {"const": name}}, "required": ["extends"]},
            "then": {"properties": {"source": _ref(f"source-{preset['source']['type']}")}},
        }


def _functions() -> str:
    lines = ("  ".join(inspect.cleandoc(each.doc).split("\n")[:1]) for each in FUNCTIONS.values())
    return "An expression, such as `work_email | lower`. Functions:\n" + "\n".join(lines)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _table(properties: Mapping[str, Any]) -> Schema:
    # Anything may be null: so a file takes away what its preset gives.
    return {"type": ["object", "null"], "additionalProperties": False,
            "properties": dict(properties)}  # fmt: skip


def _open(values: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": values}


def _list(items: Schema) -> Schema:
    return {"type": ["array", "null"], "items": {"anyOf": [items, {"const": "preset"}]}}
