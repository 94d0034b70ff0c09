"""A university of a thousand people in a real slapd, the bridge that reads it, and Okta."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.ldif import write_ldif
from benchmarks.people import people
from bridge.okta.rehearsal import Import, rehearse
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import tokens
from bridge.sync.leadership import utc_now
from tests import asgi
from tests.cli.conftest import Cli, cli
from tests.processes import ROOT, Bridge
from tests.servers.slapd import READER_PASSWORD, SUFFIX, Slapd, ldif, slapd, slapd_server

__all__ = ["Cli", "cli", "slapd", "slapd_server"]

EXAMPLE = ROOT / "tests/mapping/data/openldap.yaml"
PEOPLE = 1000
LOCKED = "000001010000Z"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

Profiles = Mapping[str, Mapping[str, Any]]


@dataclass
class University:
    """A branch of slapd, the bridge with the example's mapping, and what Okta has linked."""

    slapd: Slapd
    branch: str
    bridge: Bridge
    token: str = ""
    linked: Profiles = field(default_factory=dict)

    @property
    def people(self) -> str:
        return f"ou=people,{self.branch}"

    @property
    def groups(self) -> str:
        return f"ou=okta,ou=groups,{self.branch}"

    @property
    def file(self) -> Path:
        return self.bridge.file.with_name("uni.yaml")

    @property
    def secret(self) -> Path:
        return self.slapd.folder / "secret"

    def load(self, size: int) -> None:
        """Fill the branch while slapd is stopped, as an administrator loads a directory."""
        file = io.StringIO()
        write_ldif(people(size, 7, datetime.now(UTC).date()), file, self.people)
        units = (self.branch, f"ou=groups,{self.branch}", self.groups, f"ou=alumni,{self.branch}")
        inner = (f"ou=staff,{self.people}",)
        self.slapd.stop()
        self.slapd.load(
            "".join(
                [
                    *(ldif(dn, objectClass="organizationalUnit") for dn in units),
                    file.getvalue(),
                    *(ldif(dn, objectClass="organizationalUnit") for dn in inner),
                ]
            )
        )
        self.slapd.start()

    def dn(self, uid: str) -> str:
        return f"uid={uid},{self.people}"

    def write_mapping(self) -> None:
        """The example with host, base and password changed, and small pages."""
        self.bridge.export.unlink(missing_ok=True)
        self.bridge.file.unlink(missing_ok=True)
        self.secret.write_text(READER_PASSWORD)
        self.file.write_text(EXAMPLE.read_text())
        self.edit("url: ldap://ldap.uni.example", f"url: ldap://localhost:{self.slapd.port}")
        self.edit("start_tls: true", f"start_tls: true\n  ca_file: {self.slapd.ca_file}")
        self.edit("/run/secrets/ldap", str(self.secret))
        self.edit("base: ou=people,dc=uni,dc=example", f"base: {self.people}\n  page_size: 200")
        self.edit("base: ou=okta,ou=groups,dc=uni,dc=example", f"base: {self.groups}")

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new, 1))

    def change(self, uid: str, *lines: str) -> None:
        self.slapd.modify("\n".join((f"dn: {self.dn(uid)}", *lines, "")))

    def give(self, uid: str, name: str, *values: str) -> None:
        """Give an attribute these values, or none."""
        lines = (f"{name}: {value}" for value in values)
        self.change(uid, "changetype: modify", f"replace: {name}", *lines)

    def move(self, uid: str, below: str) -> None:
        self.change(uid, "changetype: modrdn", f"newrdn: uid={uid}", "deleteoldrdn: 0",
                    f"newsuperior: {below}")  # fmt: skip

    def join(self, uid: str) -> None:
        self.slapd.modify(
            ldif(self.dn(uid), objectClass=("inetOrgPerson", "eduPerson"), uid=uid, cn=uid,
                 sn="New", givenName="Somebody", mail=f"{uid}@example.com",
                 eduPersonAffiliation="staff")
        )  # fmt: skip

    def group(self, name: str, *members: str) -> None:
        """A group of people, by uid, and of other groups, by DN."""
        named = [each if "=" in each else self.dn(each) for each in members]
        self.slapd.modify(
            ldif(f"cn={name},{self.groups}", objectClass="groupOfNames", cn=name, member=named)
        )

    def enrol(self, name: str, uid: str) -> None:
        """Make somebody a member of a group."""
        self.slapd.modify(
            f"dn: cn={name},{self.groups}\nchangetype: modify\nadd: member\n"
            f"member: {self.dn(uid)}\n"
        )

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Okta's side, answered in this process from the store as it is."""
        with self.bridge.store() as store:
            if not self.token:
                with store.write() as connection:
                    self.token = tokens.create(connection, "okta", None, utc_now())[1]
            app = application(store, Settings(public_url="https://bridge.example.com"))
            with asgi.client(app, self.token) as client:
                yield client

    def okta_imports(self, client: httpx.Client, base: str) -> Import:
        """One full import; unless it broke off, Okta has linked afterwards what it created."""
        outcome = rehearse(client, base, self.token, self.linked)
        assert (outcome.stopped, outcome.violations) == (False, ())
        self.linked = outcome.linked
        return outcome

    def imported(self) -> Import:
        """An import of what the store has now."""
        with self.client() as client:
            outcome = self.okta_imports(client, "https://bridge.example.com/scim/v2")
        assert outcome.failed == ""
        return outcome

    def served_groups(self) -> dict[str, Mapping[str, Any]]:
        """Every group as Okta is served it, by its name."""
        with self.client() as client:
            rows = client.get("/scim/v2/Groups?count=1000").json()["Resources"]
        return {str(row["displayName"]): row for row in rows}

    def members(self) -> dict[str, set[str]]:
        """Whom of those that Okta has linked each group has as members, by its name."""
        return {
            name: uids(self.linked, {each["value"] for each in row["members"]} & set(self.linked))
            for name, row in self.served_groups().items()
        }

    def first_load(self) -> None:
        """Read everybody, say yes to the first load, which is held, and let Okta import."""
        assert self.bridge.run("sync").returncode == 3
        [plan] = self.bridge.json("plan", "list")
        self.bridge.json("plan", "approve", plan["hash"])
        self.imported()


def uids(linked: Profiles, ids: Iterable[str] | None = None) -> set[str]:
    """Who is linked, or some of them, as the directory calls them."""
    return {str(linked[id]["externalId"]) for id in (linked if ids is None else ids)}


def founded(slapd: Slapd, bridge: Bridge, name: str, size: int = PEOPLE) -> University:
    """A university in a branch of its own, whose first load is still to come."""
    made = University(slapd, f"ou={name},{SUFFIX}", bridge)
    made.load(size)
    made.write_mapping()
    return made


@pytest.fixture(scope="session")
def imported_once(slapd_server: Slapd, tmp_path_factory: pytest.TempPathFactory) -> University:
    """A university that Okta has imported; tests work on copies of its store."""
    bridge = Bridge(tmp_path_factory.mktemp("university"))
    made = founded(slapd_server, bridge, "university")
    made.group("library", *(f"p{number:07}" for number in range(1, 151)))
    made.first_load()
    return made


@pytest.fixture
def university(imported_once: University, slapd: Slapd, bridge: Bridge) -> University:
    """A thousand people whom Okta has imported. Tests leave the directory as it was."""
    shutil.copytree(imported_once.bridge.database.parent, bridge.database.parent)
    made = replace(imported_once, bridge=bridge)
    made.write_mapping()
    return made
