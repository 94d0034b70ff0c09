"""Pages a second: the web role against a bare uvicorn that sends the same bytes.

    python -m benchmarks.pages [--people 200000] [--page 100] [--seconds 5] [--rounds 3]

A SQLite store is filled through a publication, the web role is started on it under uvicorn (one
worker, httptools, uvloop) and asked by ``wrk``: a first page in turn with the bare server, then
the first page in turn with the last one. Both sides of a ratio are from the same run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.model import ENTERPRISE_URN, Kind, resource_id
from bridge.store import Store, UserWrite, lease, resources, sources, tokens

_CHUNK = 5000
_CONNECTIONS = 8
_BODY = "BENCHMARK_BODY"
"""The environment variable with the file of bytes that the bare server sends."""


def bare() -> ASGIApp:
    """An application that does nothing but send the same bytes each time."""
    body = Path(os.environ[_BODY]).read_bytes()
    headers = [
        (b"content-type", b"application/scim+json"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def fill(store: Store, people: int) -> str:
    """Publish that many people; a token that reads them."""
    now = datetime.now(UTC)
    with store.write() as c:
        source = sources.register(c, "hr", "hr.yaml").id or 0
        epoch = lease.acquire(c, "benchmark", now)
        _, secret = tokens.create(c, "benchmark", None, now)
    with store.publication(epoch=epoch, run_id=1, now=lambda: datetime.now(UTC)) as p:
        for first in range(0, people, _CHUNK):
            p.put_users(source, [_person(n) for n in range(first, min(first + _CHUNK, people))])
        p.first_load_done(source)
        p.open_serving()
    return secret


def _person(n: int) -> UserWrite:
    key = f"P{n:07}"
    id = resource_id(Kind.USER, "hr", key)
    mail = f"given{n}.family{n}@example.com"
    work = {"type": "work", "streetAddress": f"{n} Long Street", "locality": "Springfield"}
    attributes = {
        "userName": mail,
        "externalId": key,
        "name": {"givenName": f"Given{n}", "familyName": f"Family{n}"},
        "displayName": f"Given{n} Family{n}",
        "title": "Senior Engineer for Important Things",
        "userType": "Employee",
        "preferredLanguage": "en-US",
        "timezone": "Europe/Berlin",
        "active": n % 10 != 0,
        "emails": [{"value": mail, "type": "work", "primary": True}],
        "phoneNumbers": [
            {"value": f"+49301{n:07}", "type": "work"},
            {"value": f"+49171{n:07}", "type": "mobile"},
        ],
        "addresses": [work | {"region": "BE", "postalCode": f"{n % 99999:05}", "country": "DE"}],
        ENTERPRISE_URN: {
            "employeeNumber": str(n),
            "costCenter": f"CC-{n % 400}",
            "organization": "Example GmbH",
            "division": f"Division {n % 12}",
            "department": f"Department {n % 90}",
            "manager": {"value": resource_id(Kind.USER, "hr", f"P{n // 8:07}")},
        },
    }
    return UserWrite(
        before=None,
        key=key,
        id=id,
        user_name=mail,
        external_id=key,
        email=mail,
        active=n % 10 != 0,
        reason="employed",
        document=resources.render(id, Kind.USER, attributes),
    )


@contextmanager
def serving(command: list[str], url: str, environment: dict[str, str]) -> Iterator[int]:
    """A Python process with that command line, once it answers; its process id."""
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(url)
                break
            except httpx.ConnectError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"this did not start: {' '.join(command)}")
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def pages_per_second(url: str, secret: str, seconds: int) -> float:
    """What ``wrk`` counts; it ends the benchmark where an answer was not 2xx."""
    told = subprocess.run(
        ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-H", f"Authorization: {secret}", url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if rate is None or "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"wrk did not get its pages:\n{told}")
    return float(rate[1])


def compare(sides: dict[str, str], secret: str, seconds: int, rounds: int) -> None:
    """Ask the two URLs in turn; print the median of each by its name, and their ratio."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, url in sides.items():
            rates[name].append(pages_per_second(url, secret, seconds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, median in medians.items():
        print(f"{name:<14}{median:>10,.0f} pages/s")
    first, second = medians.values()
    print(f"{'ratio':<14}{first / second:>10.2f}\n")


def resident(pid: int) -> float:
    """The resident memory of a process, in MB."""
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(told.stdout) / 1000


def free_address() -> str:
    """A local address and port that nobody serves yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def bare_command(address: str) -> list[str]:
    """The command line of a bare uvicorn, set as the web role's."""
    host, _, port = address.partition(":")
    return ["-m", "uvicorn", "--factory", "benchmarks.pages:bare", "--host", host, "--port", port,
            "--http", "httptools", "--loop", "uvloop", "--lifespan", "off", "--no-access-log",
            "--log-level", "warning"]  # fmt: skip


def measure(folder: Path, people: int, page: int, seconds: int, rounds: int) -> None:
    """Fill a store in ``folder``, serve it, and print what was measured."""
    database, body = f"sqlite:///{folder}/bridge.db", folder / "body"
    started = time.perf_counter()
    store = Store.open(database)
    secret = fill(store, people)
    store.close()
    filled = time.perf_counter() - started
    address, bare_address = free_address(), free_address()
    first, last = (
        f"http://{address}/scim/v2/Users?count={page}&startIndex={start}"
        for start in (1, max(1, people - page + 1))
    )
    role = {"BRIDGE_DATABASE": database, "BRIDGE_LISTEN": address}
    with serving(["-m", "bridge", "web"], first, role) as pid:
        fresh = resident(pid)
        answer = httpx.get(first, headers={"Authorization": secret}).raise_for_status()
        body.write_bytes(answer.content)
        print(
            f"{people:,} people, {page} a page ({len(answer.content):,} bytes), "
            f"{os.cpu_count()} cores, {_CONNECTIONS} connections, {rounds} x {seconds} s a side; "
            f"filled in {filled:.0f} s\n"
        )
        bare_url = f"http://{bare_address}"
        with serving(bare_command(bare_address), bare_url, {_BODY: str(body)}):
            sides = {"web role": first, "bare uvicorn": bare_url}
            compare(sides, secret, seconds, rounds)
        compare({"page 1": first, "last page": last}, secret, seconds, rounds)
        print(f"web process: {fresh:.0f} MB at the start, {resident(pid):.0f} MB now")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--page", type=int, default=100, help="rows in a page")
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk, or brew install wrk")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.people, given.page, given.seconds, given.rounds)


if __name__ == "__main__":
    main()
