"""The JSON Schema of the mapping file: what loads is valid by it, an unknown key is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from bridge.mapping import presets, targets
from bridge.mapping.document import KEYS
from bridge.mapping.faults import Faults
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.json_schema import json_schema
from bridge.mapping.yaml_text import parse, plain
from bridge.sources import settings_models

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[2]
SCHEMA = json_schema(settings_models())
FILES = [
    *sorted((ROOT / "mappings").glob("*.yaml*")),
    *sorted((DATA / "shortest").glob("*.yaml")),
    DATA / "staff.yaml",
    DATA / "openldap.yaml",
]


def problems(text: str) -> list[str]:
    tree = parse(text, Faults("f", text))
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(plain(tree))]


def test_it_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_that_loads_is_valid(file):
    assert problems(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_is_valid_on_top_of_itself(name):
    assert problems(f"version: 1\nname: x\nextends: {name}\n{presets.text(name)}") == []


def test_what_a_preset_allows_is_valid():
    assert problems(
        "version: 1\nname: x\nextends: hr-csv\nsource: { columns: { job_title: null } }\n"
        "user: { title: null, emails: [preset, { value: a, type: home }] }\nenterprise: null\n"
    ) == []  # fmt: skip


HR = (ROOT / "mappings" / "sample-hr.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("external_id:", "exernal_id:"),
        ("version: 1\n", "version: 2\n"),
        ("type: csv", "type: cvs"),
        ("  path:", "  paht:"),
        ("key: person_id\n", ""),
        ("  displayName:", "  dispalyName:"),
        ("    givenName:", "    giveName:"),
        ("  employeeNumber:", "  employeNumber:"),
        ("expr: given, required: true", "expr: given, requird: true"),
        ("expr: given, required: true", "expr: given, required: maybe"),
        ("type: boolean", "type: bool"),
        ("first_load: publish", "first_load: now"),
        ("then: false", "than: false"),
        ("full: every 6 hours", "fully: every 6 hours"),
        ("expect_error:", "expects_error:"),
        ("- key: f", "- kei: f"),
        ("      primary: true", "      primary: yes please"),
    ],
)
def test_what_no_file_may_hold_is_not_valid(old, new):
    assert old in HR
    assert problems(HR.replace(old, new, 1)) != []


def test_every_unknown_key_of_the_table_of_faults_is_unknown_to_the_schema(small_text):
    found = 0
    for file in (DATA / "faults").glob("*.txt"):
        for block in re.split(r"^== ", file.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, _, message = block.partition("\n>> ")
            if message.startswith("unknown key"):
                sections = re.split(r"^(?=§?\w+:)", head.partition("\n")[2], flags=re.M)[1:]
                text = small_text(*sections).replace("§", "").replace("type: table", "type: csv")
                unexpected = [each for each in problems(text) if "Additional properties" in each]
                assert unexpected, head
                found += 1
    assert found >= 6


def test_a_secret_in_plain_sight_is_not_valid():
    text = (DATA / "shortest" / "openldap.yaml").read_text(encoding="utf-8")
    assert problems(text.replace("${file:/run/secrets/ldap}", "hunter2")) != []


def test_an_editor_completes_every_key_and_attribute():
    assert list(SCHEMA["properties"]) == list(KEYS)
    user = SCHEMA["properties"]["user"]["properties"]
    assert user.keys() == {*targets.TEXTS, "name", *targets.LISTS}
    for name, model in settings_models().items():
        keys = SCHEMA["definitions"][f"source-{name}"]["properties"]
        assert keys.keys() == {"type", *model.model_fields}
        assert [key for key in model.model_fields if not keys[key].get("description")] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_editor_tells_every_function(name):
    assert f"`{name}(" in SCHEMA["definitions"]["expression"]["description"]
