"""The README's mapping chapter, walked through from an empty folder: it prints what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.model import Batch, Entry, Verdict, Wanted
from bridge.sources import active_directory

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CHAPTER = README.partition("### Step by step\n")[2].partition("\n### ")[0]
BLOCKS = re.findall(r"^```(yaml|console)\n(.*?)^```$", CHAPTER, re.M | re.S)


@dataclass(frozen=True)
class Domain:
    """Three people of a domain, one of whom has left; it tells what is asked for."""

    wanted: Wanted

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        people = [("Ann", "Staff"), ("Ben", "Leavers"), ("Cleo", "Staff")]
        entries = [self.entry(name, unit) for name, unit in people]
        yield Batch(entries, verdict=Verdict(complete=True, whole=True))

    def entry(self, name: str, unit: str) -> Entry:
        known = {
            "objectGUID": f"{{00000000-0000-4000-8000-{name.encode().hex():0>12}}}",
            "sAMAccountName": name.lower(),
            "userPrincipalName": f"{name}@corp.example",
            "givenName": name,
            "sn": "Example",
            "userAccountControl": "512",
            "extensionAttribute3": f"#{len(name):04}",
        }
        asked = {key: value for key, value in known.items() if key in self.wanted.attributes}
        attributes = {"dn": f"CN={name},OU={unit},DC=corp,DC=example", **asked}
        return Entry(name, attributes, repr(attributes).encode())


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console, and what it prints."""
    for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, printed = step.partition("\n")
        yield command, printed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(active_directory, "open", lambda settings, folder, wanted: Domain(wanted))
    monkeypatch.setenv("AD_PASSWORD", "secret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    return tmp_path


def test_every_step_of_the_chapter_prints_what_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []
    for kind, text in BLOCKS:
        if kind == "yaml":
            (folder / "mappings" / "corp.yaml").write_text(text)
            continue
        for command, printed in steps(text):
            ran.append(command)
            name, *arguments = shlex.split(command)
            if name != "bridge":
                subprocess.run([name, *arguments], check=True)
                continue
            monkeypatch.setattr(sys, "argv", ["bridge", *arguments])
            with pytest.raises(SystemExit):
                main()
            out, err = capsys.readouterr()
            words = [line for line in err.splitlines(True) if not line.startswith('{"step"')]
            assert out + "".join(words) == printed, command
    assert [command.split()[1] for command in ran if command.startswith("bridge")] == [
        "check", "sync", "check", "check", "test", "preview", "sync"
    ]  # fmt: skip


def test_the_shortest_files_are_as_the_chapter_has_them() -> None:
    shortest = Path(__file__).parent / "mapping" / "data" / "shortest"
    for file in shortest.glob("*.yaml"):
        assert f"```yaml\n{file.read_text(encoding='utf-8')}```" in README, file.stem
