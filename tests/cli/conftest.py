"""The command line in this process: the same code, without the second that a start takes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.cli import main
from tests.processes import Bridge


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Everything for people on stderr, without the steps."""
        return "".join(line for line in self.err.splitlines(True) if '"step"' not in line)


@dataclass
class Cli:
    """Runs commands in the folder of a bridge."""

    bridge: Bridge
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, code: int = 0) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["bridge", *arguments])
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capture.readouterr()
        ran = Ran(int(ended.value.code or 0), out, err)
        assert ran.code == code, ran
        assert "Traceback" not in err
        return ran

    def set(self, name: str, value: str) -> None:
        self.monkeypatch.setenv(name, value)

    def plan(self) -> str:
        """The hash of the one plan that is open."""
        [plan] = self("plan", "list", "--json").json
        return str(plan["hash"])


@pytest.fixture
def cli(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(bridge.folder)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("MAPPINGS", "DATABASE", "PUBLIC_URL", "TLS_CERT", "TLS_KEY", "LOG"):
        monkeypatch.delenv(f"BRIDGE_{name}", raising=False)
    for name, value in bridge.settings.items():
        monkeypatch.setenv(name, value)
    return Cli(bridge, monkeypatch, capsys)
