"""A branch of a real Samba domain, the example's mapping of it, and the company it makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.store import Store
from tests.servers.samba import ADMIN, COUNTER, PASSWORD, Samba
from tests.servers.slapd import ldif
from tests.sync.conftest import Company

EXAMPLE = Path(__file__).parents[1] / "mapping/data/active-directory.yaml"
ENABLED, DISABLED = "544", "546"


@dataclass
class Corp:
    """A branch of a domain, and the example's mapping with host, base and password changed."""

    samba: Samba
    branch: str
    company: Company
    account: str

    @property
    def tells_restores(self) -> bool:
        """Whether a read of changes sees that somebody deleted was restored: by DirSync alone."""
        return self.account == ADMIN

    def write_mapping(self, *changes: tuple[str, str]) -> None:
        text = EXAMPLE.read_text()
        for old, new in (
            ("url: ldaps://dc1.example.com", f"url: {self.samba.url}"),
            ("base: DC=example,DC=com", f"base: {self.people}"),
            ("CN=svc-okta-bridge,OU=Service,DC=example,DC=com", self.account),
            ("${env:AD_PASSWORD}", "${env:TEST_AD_PASSWORD}"),
            ("  ca_file: /etc/bridge/corp-ca.pem\n", ""),
            ("base: OU=Okta,OU=Groups,DC=example,DC=com", f"base: {self.groups}"),
            ("version: 1\n", "version: 1\nlimits: { first_load: publish }\n"),
            *changes,
        ):
            assert old in text
            text = text.replace(old, new, 1)
        (self.company.mappings / "corp.yaml").write_text(text)

    @property
    def people(self) -> str:
        return f"OU=People,{self.branch}"

    @property
    def groups(self) -> str:
        return f"OU=Groups,{self.branch}"

    @property
    def elsewhere(self) -> str:
        """Where nobody is looked for."""
        return f"OU=Elsewhere,{self.branch}"

    def dn(self, name: str) -> str:
        return f"CN={name},{self.people}"

    def group_dn(self, name: str) -> str:
        return f"CN={name},{self.groups}"

    def person(self, name: str, **more: str) -> str:
        """Somebody as LDIF."""
        login = f"{name}{abs(hash(self.branch)) % 10**8}"
        return ldif(
            self.dn(name), objectClass="user", sAMAccountName=login, givenName="Given", sn=name,
            mail=f"{name}@e.example", employeeID=name, **{"userAccountControl": ENABLED, **more},
        )  # fmt: skip

    def add(self, name: str, **more: str) -> None:
        self.samba.modify(self.person(name, **more))

    def group(self, name: str, *members: str) -> None:
        named = [each if "=" in each else self.dn(each) for each in members]
        self.samba.modify(
            ldif(self.group_dn(name), objectClass="group", **({"member": named} if named else {}))
        )

    def change(self, dn: str, *lines: str) -> None:
        self.samba.modify("\n".join((f"dn: {dn}", *lines, "")))

    def restore(self, left: str, dn: str, name: str) -> None:
        """Bring somebody back, and by hand what the domain forgot."""
        self.samba.restore(left, dn)
        values = {"givenName": "Given", "sn": name, "mail": f"{name}@e.example", "employeeID": name}
        lines = [f"replace: {key}\n{key}: {value}\n-" for key, value in values.items()]
        self.change(dn, "changetype: modify", *lines)

    def replace(self, dn: str, attribute: str, value: str) -> None:
        self.change(dn, "changetype: modify", f"replace: {attribute}", f"{attribute}: {value}")

    def move(self, dn: str, rdn: str, below: str) -> None:
        self.change(dn, "changetype: modrdn", f"newrdn: {rdn}", "deleteoldrdn: 1",
                    f"newsuperior: {below}")  # fmt: skip

    def members(self) -> dict[str, set[str]]:
        """The names of the people in every group that is served, by its name."""
        name_of = {row["id"]: name for name, row in self.company.served().items()}
        return {
            name: {name_of[member["value"]] for member in row.get("members", ())}
            for name, row in self.company.groups().items()
        }


@pytest.fixture(params=[ADMIN, COUNTER], ids=["DirSync", "uSNChanged"])
def corp(
    samba_server: Samba,
    domain: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Corp]:
    """A small company, read by an account with one right or another."""
    monkeypatch.setenv("TEST_AD_PASSWORD", PASSWORD)
    (tmp_path / "mappings").mkdir()
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    made = Corp(samba_server, domain, Company(tmp_path, store, "corp-ad"), request.param)
    units = [f"OU={name},{domain}" for name in ("People", "Groups", "Elsewhere")]
    units.append(f"OU=Staff,{made.people}")
    people = [made.person(name) for name in ("ann", "cleo", "dan")]
    people.append(made.person("bob", manager=made.dn("ann")))
    samba_server.modify(
        "".join([ldif(unit, objectClass="organizationalUnit") for unit in units] + people)
    )
    made.write_mapping()
    yield made
    store.close()
