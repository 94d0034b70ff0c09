"""A real PostgreSQL for the tests: one server a run, a fresh database a test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.servers.missing import skip_if
from tests.servers.ports import free_port

_BIN = Path("/usr/lib/postgresql/15/bin")
_TEMPLATE = "bridge_template"


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """Run a statement that may stand in no transaction, such as CREATE DATABASE."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _missing() -> str:
    if not (_BIN / "postgres").exists():
        return f"{_BIN}/postgres is missing: apt-get install postgresql-15"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "runuser is missing, and PostgreSQL does not run as root"
    return ""


def _as_postgres(*command: str) -> list[str]:
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return [*user, *command]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """PostgreSQL 15 in a temporary folder; it ends with the run, or with the process of the run."""
    skip_if(_missing())
    folder = Path(tempfile.mkdtemp(prefix="bridge-postgres-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    subprocess.run(
        _as_postgres(str(_BIN / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust",
                     "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    server = Server(free_port())
    options = {
        "listen_addresses": "127.0.0.1",
        "port": server.port,
        "unix_socket_directories": folder,
        "fsync": "off",
        "max_connections": 60,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _as_postgres("sh", "-c", _UNTIL_STDIN_ENDS, str(_BIN / "postgres"), "-D", str(data),
                         *(f"-c{name}={value}" for name, value in options.items())),
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/",
        )  # fmt: skip
    try:
        _wait_until_it_answers(server, process, folder / "log")
        yield server
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


# The pipe ends with the process of the tests, however that ends; the server then ends too.
_UNTIL_STDIN_ENDS = f'"$0" "$@" </dev/null & cat >/dev/null; kill -{int(signal.SIGQUIT)} $!; wait'


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')}")
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """A database with the store's tables, from which a test's own is copied in a moment."""
    from bridge.store import Store

    postgres_server.run(f"CREATE DATABASE {_TEMPLATE}")
    Store.open(postgres_server.url(_TEMPLATE)).close()
    return _TEMPLATE


_numbers = count(1)


@pytest.fixture
def empty_postgres(postgres_server: Server) -> str:
    """The URL of a database without a table."""
    name = f"test_{next(_numbers)}"
    postgres_server.run(f"CREATE DATABASE {name}")
    return postgres_server.url(name)


@pytest.fixture
def postgres(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """The URL of a store of a test's own."""
    name = f"test_{next(_numbers)}"
    postgres_server.run(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield postgres_server.url(name)
    postgres_server.run(f"DROP DATABASE {name} WITH (FORCE)")
