"""What exists stands in the README; what is missing there does not exist for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bridge.cli import app
from bridge.mapping.document import KEYS
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.limits import KINDS
from bridge.mapping.targets import OPTIONS
from bridge.settings import Settings
from bridge.sources import settings_models

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def commands(group: TyperGroup, before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before} {name}")
        elif not command.hidden:
            yield f"{before} {name}"


def bridge() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_in_the_readme(field: str) -> None:
    assert f"`BRIDGE_{field.upper()}`" in README


@pytest.mark.parametrize("command", list(commands(bridge(), "bridge")))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`{command}" in README


@pytest.mark.parametrize("key", sorted({*KEYS, *KINDS, *OPTIONS}))
def test_every_key_of_a_mapping_is_in_the_readme(key: str) -> None:
    assert f"`{key}`" in README


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_expressions_is_in_the_readme(name: str) -> None:
    assert f"`{name}" in README


@pytest.mark.parametrize(
    "key",
    [f"{kind}.{key}" for kind, model in settings_models().items() for key in model.model_fields],
)
def test_every_setting_of_every_source_is_in_the_readme(key: str) -> None:
    assert f"`{key.partition('.')[2]}`" in README
