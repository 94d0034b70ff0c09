"""What exists stands in the README; what is missing there does not exist for anybody."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bridge.cli import app
from bridge.mapping.document import KEYS
from bridge.mapping.functions import FUNCTIONS, foreign
from bridge.mapping.functions.registry import Function
from bridge.mapping.limits import KINDS
from bridge.mapping.targets import OPTIONS
from bridge.mapping.values import Reference, text_of
from bridge.settings import Settings
from bridge.sources import settings_models

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


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


def row(function: Function) -> str:
    """A function's line of the README, made of its docstring: call, what it does, an example."""
    text, _, examples = inspect.cleandoc(function.doc).partition("\n\n>>> ")
    lines = text.replace("\n\n", "\n").split("\n")
    found = re.fullmatch(rf"(.+): (`{function.name}\(.*?\)`)\.(.*)", lines[0])
    assert found is not None, f"{function.name}: the docstring says no call"
    does = " ".join([f"{found[1]}.{found[3]}", *lines[1:]]).strip()
    example, answer = examples.split("\n")[:2]
    cells = (found[2], does, f"`{example}` is {shown(answer)}")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def shown(answer: str) -> str:
    """The answer of an example as the README writes it: dates and moments as they are served."""
    names = {"date": date, "datetime": datetime, "UTC": UTC, "Reference": Reference}
    value = None if answer == "absent" else eval(answer, names)
    if value is None or isinstance(value, bool):
        return {None: "absent", True: "true", False: "false"}[value]
    if isinstance(value, Reference):
        return f"the {value.want} of the person whose {value.by} is `{value.ref!r}`"
    if isinstance(value, timedelta):
        return f"{value.days} days"
    return f"`{value!r}`" if not isinstance(value, date) else f"`{text_of(value)}`"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_stands_in_the_readme_as_its_docstring_says(name: str) -> None:
    assert row(FUNCTIONS[name]) in README.split("\n")


THEIRS = {
    "Okta": (
        "String.append", "String.join", "String.len", "String.removeSpaces", "String.replace",
        "String.replaceFirst", "String.stringContains", "String.startsWith",
        "String.stringSwitch", "String.substring", "String.substringAfter",
        "String.substringBefore", "String.toUpperCase", "String.toLowerCase", "Arrays.add",
        "Arrays.remove", "Arrays.clear", "Arrays.get", "Arrays.flatten", "Arrays.contains",
        "Arrays.size", "Arrays.isEmpty", "Arrays.toCsvString", "Convert.toInt", "Convert.toNum",
        "Iso3166Convert.toAlpha2", "Iso3166Convert.toAlpha3", "Iso3166Convert.toNumeric",
        "Iso3166Convert.toName", "Time.now", "Time.fromWindowsToIso8601",
        "Time.fromUnixToIso8601", "Time.fromStringToIso8601", "Time.fromIso8601ToWindows",
        "Time.fromIso8601ToUnix", "Time.fromIso8601ToString", "isMemberOfGroupName",
        "isMemberOfGroup", "isMemberOfGroupNameStartsWith", "isMemberOfGroupNameContains",
        "isMemberOfGroupNameRegex",
        "isMemberOfAnyGroup", "getFilteredGroups", "Groups.contains", "Groups.startsWith",
        "Groups.endsWith", "getManagerUser", "getManagerAppUser", "getAssistantUser",
        "getAssistantAppUser", "hasDirectoryUser", "findDirectoryUser", "hasWorkdayUser",
        "findWorkdayUser",
    ),
    "Entra": (
        "Append", "AppRoleAssignmentsComplex", "BitAnd", "CBool", "CDate", "Coalesce",
        "ConvertToBase64", "ConvertToUTF8Hex", "Count", "CStr", "DateAdd", "DateDiff",
        "DateFromNum", "FormatDateTime", "Guid", "IgnoreFlowIfNullOrEmpty", "IIF", "InStr",
        "IsNull", "IsNullOrEmpty", "IsPresent", "IsString", "Item", "Join", "Left", "Mid",
        "NormalizeDiacritics", "Not", "Now", "NumFromDate", "PCase", "RandomString", "Redact",
        "RemoveDuplicates", "Replace", "SelectUniqueValue", "SingleAppRoleAssignment", "Split",
        "StripSpaces", "Switch", "ToLower", "ToUpper", "Word",
    ),
}  # fmt: skip


@pytest.mark.parametrize("whose", THEIRS)
def test_a_table_names_ours_for_each_function_of(whose: str) -> None:
    rows = (line for line in README.split("\n") if line.startswith(f"| {whose} | "))
    told = {name for line in rows for name in re.findall(r"`([^`]+)`", line.split(" | ")[1])}
    assert told == set(THEIRS[whose])


def test_a_fault_names_ours_for_each_function_of_theirs_as_the_readme_does() -> None:
    rows = [
        line.replace("\\|", "|").split(" | ", 2)
        for line in README.split("\n")
        if re.match(r"\| (Okta|Entra) \| ", line)
    ]
    told = 0
    for whose, theirs, rest in rows:
        for name in re.findall(r"`([^`]+)`", theirs):
            hint = foreign.ours(name, {})
            if rest.startswith(("none |", "nothing to do |")):
                assert hint == ""
                continue
            told += 1
            assert hint.startswith(f"{whose[2:]}'s: here it is ")
            assert all(part in rest for part in re.findall(r"`[^`]+`", hint))
    assert told > 80


def test_what_is_named_as_ours_is_there() -> None:
    rows = [
        line.split(" | ") for line in README.split("\n") if re.match(r"\| (Okta|Entra) \| ", line)
    ]
    ours = " ".join(cells[2] for cells in rows)
    called = set(re.findall(r"\b([a-z_0-9]+)\(", ours)) | set(re.findall(r"`([a-z_0-9]+)`", ours))
    assert len(called) > 40
    assert called <= {*FUNCTIONS, "none", "not", "now", "today"}


@pytest.mark.parametrize(
    "key",
    [f"{kind}.{key}" for kind, model in settings_models().items() for key in model.model_fields],
)
def test_every_setting_of_every_source_is_in_the_readme(key: str) -> None:
    assert f"`{key.partition('.')[2]}`" in README


def named_tests(text: str) -> list[tuple[str, str]]:
    """The file and the name of each test that a text names."""
    return re.findall(r"`(tests/[\w/.-]+)::(\w+)", text)


def defined_in(file: Path) -> set[str]:
    """The tests that a file defines, those in classes and state machines too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for each in tree.body:
        if isinstance(each, ast.Assign):
            names.update(target.id for target in each.targets if isinstance(target, ast.Name))
    return {name for name in names if name.startswith(("test_", "Test"))}


@pytest.mark.parametrize("file", sorted({file for file, _ in named_tests(README + SECURITY)}))
def test_every_test_that_is_named_as_a_proof_is_there(file: str) -> None:
    assert (ROOT / file).is_file()
    named = {test for named_in, test in named_tests(README + SECURITY) if named_in == file}
    assert named - defined_in(ROOT / file) == set()


def rows_with_proof(text: str) -> list[str]:
    """The rows of every table whose last column is called ``proof``."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
    lines = [table.splitlines() for table in tables]
    return [row for head, _, *rows in lines if head.endswith("| proof |") for row in rows]


@pytest.mark.parametrize(
    ("text", "least"), [(README, 39), (SECURITY, 30)], ids=["README", "SECURITY"]
)
def test_every_row_of_what_can_go_wrong_names_its_proof(text: str, least: int) -> None:
    rows = rows_with_proof(text)
    assert len(rows) >= least
    assert [row for row in rows if not named_tests(row.split(" | ")[-1])] == []


def test_every_table_of_what_can_go_wrong_has_a_proof() -> None:
    chapter = README.split("\n## What can go wrong\n")[1].split("\n## ")[0]
    heads = re.findall(r"^(\|.*)\n\|-", chapter, re.M)
    assert len(heads) == 3
    assert all(head.endswith("| proof |") for head in heads)
