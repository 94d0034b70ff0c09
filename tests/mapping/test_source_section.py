"""The source's section: settings, and secrets that are looked up late."""

from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.mapping import resolve_secrets

SECTION = (
    "source: {{ type: table, path: x, password: '{}', columns: {{id: I, mail: M, first: F,"
    " last: L, dept: D, ends: E, boss: B}} }}"
)


def test_secrets_come_from_the_environment_and_from_files(tmp_path):
    (tmp_path / "secret").write_text("from a file\r\n", encoding="utf-8")
    section = {
        "password": f"${{file:{tmp_path}/secret}}",
        "key": "${file:secret}",
        "url": "https://${env:HOST}/x",
        "headers": [{"token": "${env:TOKEN}"}],
        "port": 5,
    }
    assert resolve_secrets(section, tmp_path, {"HOST": "h", "TOKEN": "${env:HOST}"}) == {
        "password": "from a file",
        "key": "from a file",
        "url": "https://h/x",
        "headers": [{"token": "${env:HOST}"}],
        "port": 5,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${env:NOWHERE}", "${env:NOWHERE} is not set: set NOWHERE in the environment"),
        ("${file:/nowhere/at/all}", "${file:/nowhere/at/all} cannot be read: No such file"),
        ("${file:gone}", "/gone must be a text file that the bridge may read"),
    ],
)
def test_a_secret_that_is_not_there_is_named(tmp_path, text, message):
    with pytest.raises(UsageError) as raised:
        resolve_secrets({"password": text}, tmp_path, {})
    assert message in str(raised.value)


def test_a_file_loads_without_its_secrets_and_opens_with_them(small_file, monkeypatch):
    mapping = small_file(SECTION.format("${env:STAFF_PASSWORD}"))
    assert mapping.source["password"] == "${env:STAFF_PASSWORD}"
    with pytest.raises(UsageError, match="STAFF_PASSWORD"):
        mapping.source_settings()
    monkeypatch.setenv("STAFF_PASSWORD", "hunter2")
    settings = mapping.source_settings()
    assert settings.password.get_secret_value() == "hunter2"
    assert settings.path == "x"
    assert "hunter2" not in repr(settings) + repr(mapping)


def test_a_value_from_outside_that_does_not_fit_is_named_without_it(small_file, monkeypatch):
    monkeypatch.setenv("STAFF_PATH", "")
    mapping = small_file(SECTION.format("${env:STAFF_PASSWORD}"))
    monkeypatch.setenv("STAFF_PASSWORD", "x")
    broken = {**mapping.source, "port": "${env:STAFF_PATH}"}
    object.__setattr__(mapping, "source", broken)
    with pytest.raises(UsageError, match=r"source\.port: should be a valid integer"):
        mapping.source_settings()
