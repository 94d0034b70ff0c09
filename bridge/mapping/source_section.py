"""``source:``: the settings of one kind of source, checked where they stand, and its secrets.

A secret stands in the file as ``${env:NAME}`` or ``${file:/path}`` and is looked up only when
the source is opened, so that a file can be checked where its secrets are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from bridge.errors import UsageError
from bridge.mapping.faults import Faults, Place, did_you_mean
from bridge.mapping.yaml_text import Items, Node, Scalar, Table, plain

# As in ldap://name:password@host.
_WITH_PASSWORD = re.compile(r"://[^/\s@]*@")
_SECRET = re.compile(r"\$\{(env|file):((?<=env:)[A-Za-z_][A-Za-z0-9_]*|(?<=file:)[^}]+)\}")


class SourceModel(Protocol):
    """What a source's settings are to a mapping: a pydantic model that can name attributes."""

    @property
    def require(self) -> tuple[str, ...]: ...

    asked: ClassVar[bool]
    numbered: ClassVar[bool]

    @classmethod
    def model_validate(cls, obj: Any, /) -> Self: ...

    def attribute_names(self) -> frozenset[str] | None: ...

    def own_names(self) -> frozenset[str]: ...

    def filter_fault(self, filter: str) -> str: ...


def resolve_secrets(section: Any, folder: Path, environment: Mapping[str, str] = os.environ) -> Any:
    """``section`` with each ``${env:NAME}`` and ``${file:/path}`` replaced by what it names.

    A relative path counts from ``folder``, the mapping file's own. A line end after a file's text
    is not part of the secret. Raises `UsageError` naming what is not there.
    """
    match section:
        case str():
            return _SECRET.sub(
                lambda found: _secret(found[1], found[2], folder, environment), section
            )
        case Mapping():
            return {
                key: resolve_secrets(value, folder, environment) for key, value in section.items()
            }
        case list() | tuple():
            return [resolve_secrets(value, folder, environment) for value in section]
    return section


def _secret(where: str, name: str, folder: Path, environment: Mapping[str, str]) -> str:
    if where == "env":
        if name not in environment:
            raise UsageError(f"${{env:{name}}} is not set: set {name} in the environment")
        return environment[name]
    try:
        return (folder / name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(
            f"${{file:{name}}} cannot be read: {reason}: {folder / name} must be a text file that "
            "the bridge may read"
        ) from None


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _fields(model: type[SourceModel]) -> dict[str, FieldInfo]:
    assert issubclass(model, BaseModel)
    return model.model_fields


def read_source(
    node: Table, kinds: Mapping[str, type[SourceModel]], faults: Faults
) -> tuple[str, Mapping[str, Any], SourceModel] | None:
    """The type, the section without it, and the settings with their secrets still closed."""
    given = node.values.get("type")
    if given is None:
        faults.add(node.place, "source.type is missing", f"one of {', '.join(sorted(kinds))}")
        return None
    name = given.text if isinstance(given, Scalar) else ""
    if name not in kinds:
        hint = did_you_mean(name, kinds) or f"known are {', '.join(sorted(kinds))}"
        faults.add(given.place, f"unknown type of source {name!r}", hint)
        return None
    model, before = kinds[name], len(faults)
    section = {key: plain(value) for key, value in node.values.items() if key != "type"}
    _check_secrets(node, model, faults)
    try:
        settings = model.model_validate(section)
    except ValidationError as error:
        for fault in error.errors():
            _add(fault, node, model, faults)
        return None
    return None if len(faults) > before else (name, MappingProxyType(section), settings)


def source_settings(
    model: type[SourceModel], section: Mapping[str, Any], folder: Path
) -> SourceModel:
    """The settings with their secrets, relative paths to which count from ``folder``.

    Raises `UsageError` where one is not there or wrong.
    """
    try:
        return model.model_validate(resolve_secrets(section, folder))
    except ValidationError as error:
        lines = [f"source.{_dotted(fault['loc'])}: {_message(fault)}" for fault in error.errors()]
        raise UsageError("\n".join(lines)) from None


def _check_secrets(node: Table, model: type[SourceModel], faults: Faults) -> None:
    for name, value in node.values.items():
        field = _fields(model).get(name)
        if not isinstance(value, Scalar):
            continue
        if _WITH_PASSWORD.search(value.text):
            faults.hide(value.place)
        if field is None:
            continue
        if _is_secret(field):
            if not _SECRET.fullmatch(value.text):
                faults.hide(value.place)
                hint = "write ${env:NAME} or ${file:/path}"
                faults.add(value.place, f"source.{name} is a secret in plain sight", hint)
        elif "${" in _SECRET.sub("", value.text):
            faults.add(value.place, f"source.{name} holds ${{...}} of an unknown form",
                       "write ${env:NAME} or ${file:/path}")  # fmt: skip


def _add(fault: Any, node: Table, model: type[SourceModel], faults: Faults) -> None:
    path = fault["loc"]
    place, at_key = _place(node, path)
    dotted = _dotted(path)
    if fault["type"] == "extra_forbidden":
        fields = _fields(model)
        hint = did_you_mean(str(path[-1]), fields) if len(path) == 1 else ""
        if any(repr(name) in hint for name, field in fields.items() if _is_secret(field)):
            faults.hide(at_key)
        faults.add(at_key, f"unknown key {dotted!r} under source", hint)
    elif fault["type"] == "missing":
        faults.add(node.place, f"source.{dotted} is missing")
    else:
        faults.add(place, f"source{'.' if dotted else ''}{dotted}: {_message(fault)}")


def _place(node: Node, path: tuple[str | int, ...]) -> tuple[Place, Place]:
    """Where the value at ``path`` stands, or the nearest thing to it; and its key."""
    at_key = node.place
    for step in path:
        if isinstance(node, Table) and str(step) in node.values:
            at_key, node = node.keys[str(step)].place, node.values[str(step)]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            at_key = node.place
    return node.place, at_key


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def _message(fault: Any) -> str:
    text = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return text[:1].lower() + text[1:]
