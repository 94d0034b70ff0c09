"""Whatever goes wrong with a directory: the exit code, the words, nobody inactive, recovery."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.acceptance.conftest import LOCKED, Cli, University, uids
from tests.servers.proxy import proxy

Fault = Callable[[University], AbstractContextManager[None]]


@contextmanager
def killed_in_mid_read(university: University) -> Iterator[None]:
    with (
        proxy(university.slapd.port) as between,
        other_host(f"localhost:{between.port}")(university),
    ):
        assert university.bridge.run("sync").returncode == 0
        between.cut_after, between.at_cut = [200_000], university.slapd.stop
        yield
    university.slapd.start()


@contextmanager
def down(university: University) -> Iterator[None]:
    university.slapd.stop()
    yield
    university.slapd.start()


@contextmanager
def size_limit(university: University) -> Iterator[None]:
    university.slapd.set_size_limit("500")
    yield
    university.slapd.set_size_limit("unlimited")


def without_rights(*what: str) -> Fault:
    @contextmanager
    def fault(university: University) -> Iterator[None]:
        university.slapd.deny(*(each.format(university=university) for each in what))
        yield
        university.slapd.deny()

    return fault


def edited(old: str, new: str) -> Fault:
    @contextmanager
    def fault(university: University) -> Iterator[None]:
        before = university.file.read_text()
        university.edit(*(text.format(university=university) for text in (old, new)))
        yield
        university.file.write_text(before)

    return fault


def showing(certificate: str) -> Fault:
    @contextmanager
    def fault(university: University) -> Iterator[None]:
        university.slapd.stop()
        university.slapd.start(certificate)
        yield
        university.slapd.stop()
        university.slapd.start()

    return fault


@contextmanager
def base_renamed(university: University) -> Iterator[None]:
    rename = "dn: ou={},{}\nchangetype: modrdn\nnewrdn: ou={}\ndeleteoldrdn: 1\n"
    university.slapd.modify(rename.format("people", university.branch, "persons"))
    yield
    university.slapd.modify(rename.format("persons", university.branch, "people"))


@contextmanager
def wrong_password(university: University) -> Iterator[None]:
    right = university.secret.read_text()
    university.secret.write_text("not the password")
    yield
    university.secret.write_text(right)


def other_base(base: str) -> Fault:
    return edited("base: {university.people}\n  page_size", f"base: {base}\n  page_size")


def other_host(host: str) -> Fault:
    return edited("localhost:{university.slapd.port}", host)


# What goes wrong, the exit code, and what `bridge sync` and `bridge status` say of it.
FAULTS: dict[str, tuple[Fault, int, str]] = {
    "slapd is killed in mid-read": (
        killed_in_mid_read, 4, "page 2: the connection was lost, and again: ",
    ),
    "slapd is down": (
        down, 7, r"nothing listens on port \d+: is the server running\?",
    ),
    "a size limit of 500": (
        size_limit, 4, r"page 3: .* sizeLimitExceeded \(4\): let `bind_dn` read without that limit",
    ),
    "no rights at all": (
        without_rights("*"), 4,
        r"noSuchObject \(32\): `base` does not exist, or `bind_dn` may not see it",
    ),
    "no rights on people, so that there seem to be none": (
        without_rights('dn.children="{university.people}"'), 4,
        r"nothing was read where there were [\d,]+ records before",
    ),
    "no rights on every tenth person, who seem deleted": (
        without_rights('dn.regex="^uid=p[0-9]*7,{university.people}$"'), 3,
        "[Ww]aits for your word: bridge plan show",
    ),
    "no rights on groups, so that there seem to be none": (
        without_rights('dn.children="{university.groups}"'), 4,
        "no group was found under .* where there ",
    ),
    "no rights on who is in a group, so that it seems empty": (
        without_rights("attrs=member"), 3, "[Ww]aits for your word: bridge plan show",
    ),
    "no rights on the id": (
        without_rights("attrs=entryUUID"), 4,
        r"1,\d+ entries do not have exactly one entryUUID, .* may `bind_dn` read it",
    ),
    "no rights on mail, which everybody needs": (
        without_rights("attrs=mail"), 4,
        r"nobody who had it shows it any more: mail \(of 1,\d+ people\)",
    ),
    "a base that is no longer there": (
        base_renamed, 4, r"noSuchObject \(32\): `base` does not exist",
    ),
    "a base that never was there": (
        other_base("ou=peple,{university.branch}"), 4,
        r"noSuchObject \(32\): `base` does not exist",
    ),
    "a base under which nobody is": (
        other_base("ou=alumni,{university.branch}"), 4,
        r"nothing was read where there were [\d,]+ records before",
    ),
    "a port on which nothing listens": (
        other_host("localhost:1"), 7, "nothing listens on port 1: is the server running",
    ),
    "a host that does not exist": (
        other_host("ldap.uni.invalid"), 7,
        r"no address is known for ldap\.uni\.invalid: is the name right\?",
    ),
    "the certificate of another host": (
        showing("elsewhere"), 7, r"its certificate is for other\.example, not for localhost",
    ),
    "an expired certificate": (
        showing("expired"), 7, "its certificate expired on 2024-01-01, .*: it has to be renewed",
    ),
    "a certificate of an authority that nobody trusts": (
        showing("unknown"), 7, "not signed by an authority that is trusted here: .* `ca_file`",
    ),
    "a wrong password": (
        wrong_password, 7,
        r"`bind_dn` or `password` is wrong \(invalidCredentials\) \(tried again after ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_code_and_words_harms_nobody_and_is_over_when_it_ends(
    university: University, cli: Cli, name: str
) -> None:
    fault, code, words = FAULTS[name]
    everybody, members = university.linked.keys(), university.members()
    assert len(members["library"]) > 100
    with fault(university):
        assert re.search(words, cli("sync", "--full", code=code).out)
        assert re.search(words, cli("status").out)
        assert university.imported().unchanged == everybody
        assert university.members() == members
    # What was read in good faith is read again only with everything: rights are no change.
    mode = ("--full",) if code in (0, 3) else ()
    assert cli("sync", *mode, "--json").json["verdict"] == "COMPLETE"
    assert not re.search(words, cli("status").out)
    assert university.imported().unchanged == everybody
    assert university.members() == members


def test_whoever_is_locked_is_inactive_although_the_read_was_incomplete(
    university: University, cli: Cli
) -> None:
    linked = university.linked
    university.give("p0000100", "pwdAccountLockedTime", LOCKED)
    with size_limit(university):
        cli("sync", "--full", code=4)
        gone = university.imported().removed
    assert uids(linked, gone) == {"p0000100"}
    university.give("p0000100", "pwdAccountLockedTime")
    cli("sync")
    assert university.imported().created == gone
