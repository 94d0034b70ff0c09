"""The contract of every source, kept by a domain whose controller is a fake one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from uuid import UUID

import pytest

from bridge.sources import Source
from tests.servers.fake_ldap import FakeLdap, fake_ldap
from tests.servers.samba import DOMAIN
from tests.sources.ad_world import Object, invocation, opened, root
from tests.sources.contract import Person, SourceContract, World
from tests.sources.slapd_world import NAMES, WANTED, AsPeople


class Controller(World):
    """Tells by DirSync whoever is not as before; of numbers a fake one knows nothing."""

    def __init__(self, server: FakeLdap, stack: ExitStack) -> None:
        self.server, self.stack = server, stack
        self.held: dict[str, Person] = {}
        self.told: list[list[Object]] = []
        server.dirsync = self.told

    def source(self) -> Source:
        return AsPeople(opened(self.server.url, WANTED))

    def hold(self, people: Sequence[Person]) -> None:
        server = self.server
        wanted = {each["id"]: each for each in people}
        changed = [
            someone(wanted[id]) if id in wanted else deleted(self.held[id])
            for id in {**self.held, **wanted}
            if self.held.get(id) != wanted.get(id)
        ]
        if self.held and changed:
            self.told.append(changed)
        server.known[b"highestCommittedUSN"] = root(usn=100 + len(self.told))
        objects = [someone(each) for each in people]
        server.pages = [objects[at : at + 1000] for at in range(0, len(objects), 1000)]
        server.faults = {}
        self.held = wanted

    def break_off(self, people: Sequence[Person]) -> None:
        self.hold(people)
        self.server.faults = {1: [4]}

    def take_away(self) -> None:
        self.stack.close()


def someone(person: Person) -> Object:
    guid = UUID(int=int(person["id"][1:]))
    shown = {NAMES[name]: [value.encode()] for name, value in person.items()}
    name = f"<GUID={guid}>;CN={person['id']},{DOMAIN}"
    return name, {"objectGUID": [guid.bytes_le], **shown}


def deleted(person: Person) -> Object:
    name, shown = someone(person)
    return name, {"objectGUID": shown["objectGUID"], "isDeleted": [b"TRUE"]}


@pytest.fixture
def world() -> Iterator[Controller]:
    with ExitStack() as stack:
        server = stack.enter_context(fake_ldap())
        server.known[b"invocationId"] = invocation()
        yield Controller(server, stack)


class TestContract(SourceContract):
    pass
