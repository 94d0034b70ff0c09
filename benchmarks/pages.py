"""Pages a second: the web role against a bare uvicorn that sends the same bytes.

    python -m benchmarks.pages [--people 200000] [--page 100] [--seconds 5] [--rounds 3]

A SQLite store is filled through a publication, the web role is started on it under uvicorn (one
worker, httptools, uvloop) and asked by ``wrk``, in turn with the bare server: for one page again
and again, and for page after page of the first and of the last half of the list, all of which it
has answered once and keeps until something in them changes; then for pages that nobody asked for
before. In between, page after page while nothing else happens and while people are published. All
figures are from the same run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.wrk import CONNECTIONS, Told, Wrk, compare
from bridge.model import ENTERPRISE_URN, Kind, resource_id
from bridge.store import Store, UserWrite, lease, resources, sources, tokens

_CHUNK = 5000
_MOST_PAGES = 5000
"""More pages a second than can be read from the store."""
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


def fill(store: Store, people: int) -> tuple[str, int]:
    """Publish that many people; a token that reads them, and the epoch of the lease."""
    now = datetime.now(UTC)
    with store.write() as c:
        source = sources.register(c, "hr", "hr.yaml").id or 0
        epoch = lease.acquire(c, "benchmark", now, timedelta(days=1))
        _, secret = tokens.create(c, "benchmark", None, now)
    with store.publication(epoch=epoch, run_id=1, now=lambda: datetime.now(UTC)) as p:
        for first in range(0, people, _CHUNK):
            p.put_users(source, [person(n) for n in range(first, min(first + _CHUNK, people))])
        p.first_load_done(source)
        p.open_serving()
    return secret, epoch


def person(n: int, title: str = "Senior Engineer for Important Things") -> UserWrite:
    """An invented person: the same number, the same one."""
    key = f"P{n:07}"
    id = resource_id(Kind.USER, "hr", key)
    mail = f"given{n}.family{n}@example.com"
    work = {"type": "work", "streetAddress": f"{n} Long Street", "locality": "Springfield"}
    attributes = {
        "userName": mail,
        "externalId": key,
        "name": {"givenName": f"Given{n}", "familyName": f"Family{n}"},
        "displayName": f"Given{n} Family{n}",
        "title": title,
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
    """A Python process with that command line, once it answers, in five minutes; its id."""
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 300
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


@contextmanager
def publishing(database: str, epoch: int, people: int) -> Iterator[None]:
    """Publications in another process, one after the other, each of 1 % of the people."""
    process = multiprocessing.get_context("spawn").Process(
        target=publish_for_ever, args=(database, epoch, people), daemon=True
    )
    process.start()
    try:
        time.sleep(3)  # until it has started
        yield
    finally:
        process.terminate()
        process.join()


def publish_for_ever(database: str, epoch: int, people: int) -> None:
    """Give everybody another title, 1 % of the people a publication."""
    store = Store.open(database)
    share = max(1, people // 100)
    with store.read() as c:
        source = sources.all(c)[0].id or 0
    for run in count(2):
        numbers = [(run * share + n) % people for n in range(share)]
        with store.publication(epoch=epoch, run_id=run, now=lambda: datetime.now(UTC)) as p:
            for first in range(0, share, _CHUNK):
                writes = [person(n, f"Title {run}") for n in numbers[first : first + _CHUNK]]
                before = resources.served(p.connection, source, (write.key for write in writes))
                p.put_users(source, [replace(one, before=before[one.key]) for one in writes])


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
    secret, epoch = fill(store, people)
    store.close()
    filled = time.perf_counter() - started
    address, bare_address = free_address(), free_address()
    url = f"http://{address}/scim/v2/Users?count={page}&startIndex=1"
    bare_url = f"http://{bare_address}"
    wrk = Wrk(folder, secret, seconds, page)
    half = people // 2 // page * page
    first, last = range(1, 1 + half, page), range(1 + half, 1 + 2 * half, page)
    # Ends within a step, so that the next time around every page begins somewhere else.
    new = range(1, half - half % (page + 1), page + 1)
    rounds_done = count()
    role = {"BRIDGE_DATABASE": database, "BRIDGE_LISTEN": address}
    with serving(["-m", "bridge", "web"], url, role) as pid:
        fresh = resident(pid)
        answer = httpx.get(url, headers={"Authorization": secret}).raise_for_status()
        body.write_bytes(answer.content)
        print(
            f"{people:,} people, {page} a page ({len(answer.content):,} bytes), "
            f"{os.cpu_count()} cores, {CONNECTIONS} connections, {rounds} x {seconds} s a side; "
            f"filled in {filled:.0f} s\n"
        )
        with serving(bare_command(bare_address), bare_url, {_BODY: str(body)}):
            for stretch in (first, last):
                wrk.ask(url, stretch)  # what was answered once is kept
            told = compare(
                {
                    "bare uvicorn": lambda: wrk.ask(bare_url),
                    "one page": lambda: wrk.ask(url),
                    "page after page, first half": lambda: wrk.ask(url, first),
                    "page after page, last half": lambda: wrk.ask(url, last),
                },
                rounds,
            )
            tell(told)
            idle = compare({"idle": lambda: wrk.ask(url, first)}, rounds)["idle"]
            with publishing(database, epoch, people):
                busy = compare({"busy": lambda: wrk.ask(url, first)}, rounds)["busy"]
            tell(
                compare(
                    {
                        "bare uvicorn": lambda: wrk.ask(bare_url),
                        "pages never asked for before": lambda: wrk.ask(
                            url, new, next(rounds_done) * seconds * _MOST_PAGES
                        ),
                    },
                    rounds,
                )
            )
        halves = told["page after page, first half"].rate / told["page after page, last half"].rate
        print(f"{'first half / last half':<30}{halves:>10.2f}\n")
        print(f"{'p99 while nothing happens':<30}{idle.p99:>10.1f} ms")
        times = busy.p99 / idle.p99
        print(f"{'p99 while 1 % is published':<30}{busy.p99:>10.1f} ms, {times:.1f} times")
        print(f"{'web process':<30}{fresh:>10.0f} MB at the start, {resident(pid):.0f} MB now")


def tell(told: Mapping[str, Told]) -> None:
    """Print pages a second beside those of the first side."""
    (_, bare), *_ = told.items()
    for name, one in told.items():
        print(f"{name:<30}{one.rate:>10,.0f} pages/s, {one.rate / bare.rate:.2f} of bare")
    print()


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
