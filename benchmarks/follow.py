"""How soon somebody who is disabled in a directory is shown so by SCIM.

    python -m benchmarks.follow [--slapd 10000] [--samba 1000] [--rounds 60] [--json]

A slapd and a Samba domain of its own are filled with people, and a real ``bridge serve`` reads the
changes of one after the other every second. People are disabled one by one, at moments that have
nothing to do with the bridge's own, and SCIM is asked for each until it says so: the time runs from
before the directory is told to when SCIM's answer is there. 0 people leave a directory out.

What a read of changes takes the source alone is told beside, where nothing changed and where a
hundred people did, of a directory of that size and of one of a tenth of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from ldap3 import MODIFY_REPLACE, NONE, Connection, Server

from bridge import sources
from bridge.sources import SourceSettings
from bridge.sync import catalog
from tests.processes import Bridge, wait_until
from tests.servers.samba import ADMIN, DOMAIN, PASSWORD, temporary_samba
from tests.servers.slapd import (
    READER,
    READER_PASSWORD,
    ROOT,
    ROOT_PASSWORD,
    SUFFIX,
    ldif,
    temporary_slapd,
)

_PATIENCE = 300.0
_BETWEEN = 1.0
"""Seconds from one to the next, at most."""
_ASKED_EVERY = 0.02

MAPPING = """\
version: 1
name: followed
extends: {preset}
source:
  url: {url}
  base: {base}
  bind_dn: {account}
  password: ${{env:FOLLOW_PASSWORD}}
schedule: {{ changes: 1 second }}
limits: {{ first_load: publish }}
"""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that is read by ``preset``, and how somebody is disabled there.

    ``people`` are DNs by user name. ``login`` is of an administrator, ``account`` of the bridge.
    """

    preset: str
    url: str
    base: str
    account: tuple[str, str]
    login: tuple[str, str]
    people: Mapping[str, str]
    disabled: tuple[str, str]

    def mapping(self) -> str:
        """The text of the mapping file; the password is in the environment from now on."""
        account, os.environ["FOLLOW_PASSWORD"] = self.account
        return MAPPING.format(preset=self.preset, url=self.url, base=self.base, account=account)


@dataclass(frozen=True, slots=True)
class Reads:
    """Seconds that the source takes to read changes, of nobody and of a hundred people."""

    people: int
    nothing: float
    hundred: float


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from a change in the directory to SCIM's answer."""

    people: int
    rounds: int
    p50: float
    p95: float
    slowest: float


@contextmanager
def slapd(size: int) -> Iterator[Directory]:
    """An OpenLDAP server with so many people."""
    base = f"ou=people,{SUFFIX}"
    people = {f"u{number}@example.com": f"uid=u{number},{base}" for number in range(size)}
    text = [ldif(base, objectClass="organizationalUnit")]
    text += [
        ldif(dn, objectClass="inetOrgPerson", cn=mail, sn="Follow", givenName="Given", mail=mail)
        for mail, dn in people.items()
    ]
    with temporary_slapd() as server:
        server.stop()
        server.load("".join(text))
        server.start()
        yield Directory("openldap", server.url, base, (READER, READER_PASSWORD),
                        (ROOT, ROOT_PASSWORD), people,
                        ("pwdAccountLockedTime", "000001010000Z"))  # fmt: skip


@contextmanager
def samba(size: int) -> Iterator[Directory]:
    """A Samba domain with so many people."""
    base = f"OU=Follow,{DOMAIN}"
    people = {f"u{number}@example.com": f"CN=u{number},{base}" for number in range(size)}
    text = [ldif(base, objectClass="organizationalUnit")]
    text += [
        ldif(dn, objectClass="user", sAMAccountName=mail.partition("@")[0], givenName="Given",
             sn="Follow", mail=mail, userPrincipalName=mail, userAccountControl="544")
        for mail, dn in people.items()
    ]  # fmt: skip
    with temporary_samba() as server:
        server.modify("".join(text))
        yield Directory("active-directory", server.url, base, (ADMIN, PASSWORD),
                        (ADMIN, PASSWORD), people, ("userAccountControl", "546"))  # fmt: skip


@contextmanager
def changing(directory: Directory) -> Iterator[Callable[[str, str, str], None]]:
    """What sets an attribute of somebody to a value, by user name."""
    server = Server(directory.url, get_info=NONE)
    who, password = directory.login
    connection = Connection(server, who, password, auto_bind=True)

    def change(name: str, attribute: str, value: str) -> None:
        changes = {attribute: [(MODIFY_REPLACE, [value])]}
        if not connection.modify(directory.people[name], changes):
            raise RuntimeError(f"the directory refuses the change: {connection.result}")

    try:
        yield change
    finally:
        connection.unbind()


def reads(directory: Directory, rounds: int = 5) -> Reads:
    """Read changes by the source alone; medians."""
    mapping = catalog.compile(directory.mapping(), "followed.yaml")
    settings = mapping.source_settings()
    assert isinstance(settings, SourceSettings)
    source = sources.kinds()[mapping.source_type].open(settings, Path("/"), mapping.wanted)
    *_, last = source.read(None)

    def read(cookie: bytes | None, changed: int) -> tuple[float, bytes | None]:
        begun = time.perf_counter()
        batches = list(source.read(cookie))
        took = time.perf_counter() - begun
        verdict = batches[-1].verdict
        if verdict is None or not verdict.complete or verdict.whole:
            raise RuntimeError(f"a read of changes ended with {verdict}")
        if sum(len(batch.entries) for batch in batches) != changed:
            raise RuntimeError("a read of changes came by others than those who changed")
        return took, batches[-1].cookie

    times: dict[int, list[float]] = {0: [], 100: []}
    cookie = last.cookie
    with changing(directory) as change:
        for number in range(rounds):
            for count, taken in times.items():
                for name in list(directory.people)[:count]:
                    change(name, "title", f"Title {number}")
                took, cookie = read(cookie, min(count, len(directory.people)))
                taken.append(took)
    return Reads(len(directory.people), *map(statistics.median, times.values()))


def followed(directory: Directory, rounds: int, seed: int = 1) -> Delays:
    """Disable so many people, and wait for each."""
    dice = random.Random(seed)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        change = stack.enter_context(changing(directory))
        bridge = Bridge(Path(folder))
        bridge.export.unlink()
        bridge.file.write_text(directory.mapping())
        headers = {"Authorization": f"Bearer {bridge.json('token', 'create', 'okta')['token']}"}
        with (
            bridge.start("serve"),
            httpx.Client(base_url=bridge.base, headers=headers, timeout=30) as okta,
        ):
            served = _everybody(okta, len(directory.people))
            delays = []
            for name in dice.sample(sorted(served), rounds):
                time.sleep(dice.uniform(0, _BETWEEN))
                begun = time.monotonic()
                change(name, *directory.disabled)
                while okta.get(f"/Users/{served[name]}").json()["active"]:
                    if time.monotonic() - begun > _PATIENCE:
                        raise RuntimeError("SCIM never says that somebody is disabled")
                    time.sleep(_ASKED_EVERY)
                delays.append(time.monotonic() - begun)
    centiles = statistics.quantiles(delays, n=100, method="inclusive")
    return Delays(len(directory.people), rounds, centiles[49], centiles[94], max(delays))


def _everybody(okta: httpx.Client, size: int) -> dict[str, str]:
    """The ids of everybody by user name, once all are served and active."""

    def is_whole() -> bool:
        try:
            answer = okta.get("/Users?count=1")
        except httpx.TransportError:
            return False  # it has only begun to start
        return answer.status_code == 200 and answer.json()["totalResults"] == size

    wait_until(is_whole, "the first load")
    found: dict[str, str] = {}
    while len(found) < size:
        rows = okta.get(f"/Users?startIndex={len(found) + 1}&count=200").json()["Resources"]
        if not rows or not all(row["active"] for row in rows):
            raise RuntimeError("not everybody is served as active")
        found |= {row["userName"]: row["id"] for row in rows}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.follow")
    parser.add_argument("--slapd", type=int, default=10_000, help="people in slapd")
    parser.add_argument("--samba", type=int, default=1_000, help="people in Samba (takes root)")
    parser.add_argument("--rounds", type=int, default=60, help="how many people are disabled")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    delays: dict[str, Delays] = {}
    costs: dict[str, list[Reads]] = {}
    for name, size, filled in (("slapd", asked.slapd, slapd), ("Samba", asked.samba, samba)):
        if not size:
            continue
        with filled(max(size // 10, 1)) as directory:
            costs[name] = [reads(directory)]
        with filled(size) as directory:
            costs[name].append(reads(directory))
            delays[name] = followed(directory, min(asked.rounds, size))
    about = {"cores": os.cpu_count(), "python": platform.python_version()}
    if asked.json:
        found = {
            name: {**asdict(each), "reads": [asdict(cost) for cost in costs[name]]}
            for name, each in delays.items()
        }
        print(json.dumps({**about, **found}))
        return
    print("changes read every second, {cores} cores, Python {python}".format(**about))
    print(f"{'':<8}{'people':>8}{'disabled':>10}{'p50 s':>8}{'p95 s':>8}{'slowest s':>11}")
    for name, each in delays.items():
        print(f"{name:<8}{each.people:>8,}{each.rounds:>10}{each.p50:>8.2f}{each.p95:>8.2f}"
              f"{each.slowest:>11.2f}")  # fmt: skip
    print(
        f"a read of changes by the source\n{'':<8}{'people':>8}{'of 0, ms':>10}{'of 100, ms':>12}"
    )
    for name, sizes in costs.items():
        for cost in sizes:
            print(f"{name:<8}{cost.people:>8,}{cost.nothing * 1000:>10.1f}"
                  f"{cost.hundred * 1000:>12.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
