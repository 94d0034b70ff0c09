"""`bridge check`, with --show and --online, and `bridge schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.mapping import load
from bridge.mapping.json_schema import json_schema
from bridge.sources import settings_models
from tests.cli.conftest import Cli

HR = """\
version: 1
name: hr
extends: hr-csv
source:
  path: people.csv
  columns: { job_title: null }
user: { title: null }
"""


@pytest.fixture
def hr(cli: Cli) -> Path:
    """A file that extends a preset."""
    cli.bridge.file.write_text(HR)
    return cli.bridge.file


def test_the_effective_file_is_shown_with_where_each_line_came_from(cli: Cli, hr: Path) -> None:
    lines = cli("check", "--show").out.splitlines()
    found = {text.strip(): origin.strip() for text, _, origin in (x.rpartition("#") for x in lines)}
    assert found["name: hr"] == "hr.yaml:2"
    assert found["path: people.csv"] == "hr.yaml:5"
    assert found["key: person_id"] == "preset hr-csv:28"
    assert found["absent: min(500, max(1, 2%))"] == "by default"
    assert "title: job_title" not in found
    assert "extends: hr-csv" not in found


def test_what_is_shown_is_a_file_that_stands_alone(cli: Cli, hr: Path) -> None:
    shown = cli("check", "--show").out
    before = load(HR, "hr.yaml", settings_models())
    after = load(shown, "hr.yaml", settings_models())
    assert after.key_signature == before.key_signature
    assert after.source == before.source


def test_a_faulty_file_is_shown_as_well_with_its_faults_beside_it(cli: Cli, hr: Path) -> None:
    hr.write_text(HR.replace("user: { title: null }\n", ""))
    ran = cli("check", "--show", code=5)
    assert "in line 51 of the preset hr-csv, `title: job_title`: unknown name" in ran.err
    assert "    extends: hr-csv\n             ^\n" in ran.err
    assert "title: job_title" in ran.out


def test_the_lines_are_had_as_json(cli: Cli, hr: Path) -> None:
    found = cli("check", "--show", "--json").json
    assert found["faults"] == []
    assert {"file": "mappings/hr.yaml", "text": "name: hr", "preset": None, "line": 2} in (
        found["lines"]
    )
    [key] = [line for line in found["lines"] if line["text"] == "key: person_id"]
    assert (key["preset"], key["line"]) == ("hr-csv", 28)
    [zone] = [line for line in found["lines"] if line["text"] == "timezone: UTC"]
    assert (zone["preset"], zone["line"]) == ("default", None)


def test_online_the_source_is_examined_too(cli: Cli) -> None:
    out = cli("check", "--online").out
    assert "mappings/hr.yaml: good (hr)" in out
    assert "examined as `bridge doctor hr` does" in out
    assert "ok      headings" in out


def test_online_a_source_that_is_not_there_is_exit_code_7(cli: Cli) -> None:
    cli.bridge.export.unlink()
    found = cli("check", "--online", "--json", code=7).json
    assert found["faults"] == []
    [examined] = found["sources"]
    assert (examined["source"], examined["exit_code"]) == ("hr", 7)
    assert examined["findings"][0]["step"] == "file"


def test_online_a_column_that_is_not_there_is_told_with_the_nearest_one(cli: Cli) -> None:
    cli.bridge.edit("dept: dept", "dept: deptt")
    assert "'dept'" in cli("check", "--online", code=4).out


def test_a_fault_of_a_file_weighs_more_than_its_source(cli: Cli) -> None:
    cli.bridge.export.unlink()
    (cli.bridge.file.parent / "other.yaml").write_text("a: 1\n")
    cli("check", "--online", code=5)


def test_the_schema_of_the_file_is_printed(cli: Cli) -> None:
    assert cli("schema").json == json.loads(json.dumps(json_schema(settings_models())))


def test_the_caret_stands_below_the_place(cli: Cli) -> None:
    cli.bridge.edit("mail | lower, required", "mail | louder, required")
    lines = cli("check", code=5).err.splitlines()
    at = next(number for number, line in enumerate(lines) if "louder" in line and "|" in line)
    source, caret = lines[at], lines[at + 1]
    assert source[caret.index("^") :].startswith("louder")
