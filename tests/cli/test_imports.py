"""What a command has to wait for before it does its work."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = {
    "alembic",
    "apscheduler",
    "httpx",
    "ldap3",
    "prometheus_client",
    "psycopg",
    "scim2_models",
    "starlette",
    "structlog",
    "uvicorn",
}
"""Packages that take a tenth of a second or so, each with what it brings."""

_LOADED = """
import sys, typer
from bridge.cli import app
assert not [name for name in sys.modules if name.startswith(("sqlmodel", "sqlalchemy"))]
typer.main.get_command(app).commands[sys.argv[1]]
print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("why", set()),
        ("preview", set()),
        ("check", set()),
        ("plan", {"structlog"}),
        ("status", {"psycopg"}),
    ],
)
def test_a_command_imports_no_large_package_that_others_need(
    command: str, needed: set[str]
) -> None:
    code = [sys.executable, "-c", _LOADED, command]
    ran = subprocess.run(code, check=True, capture_output=True, text=True)
    assert set(ran.stdout.split()) & _HEAVY == needed
