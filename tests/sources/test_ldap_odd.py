"""Entries of odd shape, from a real slapd: read the same with everything and as changes."""

from __future__ import annotations

import base64
import ssl

import pytest

from bridge import dn as names
from bridge.model import Entry, Wanted
from tests.servers.slapd import PLAIN, SUFFIX, Slapd, ldif, new_branch
from tests.sources.contract import Reading
from tests.sources.slapd_world import Directory, person

EVERYTHING, SYNCREPL, STAMPS = "everything", "syncrepl", "modifyTimestamp"


@pytest.fixture(params=[EVERYTHING, SYNCREPL, STAMPS])
def way(request: pytest.FixtureRequest) -> str:
    """How the entry is read."""
    return str(request.param)


@pytest.fixture
def world(slapd: Slapd, way: str) -> Directory:
    return Directory(slapd, new_branch(slapd, PLAIN if way == STAMPS else SUFFIX))


def encoded(name: str, value: bytes) -> str:
    return f"{name}:: {base64.b64encode(value).decode()}\n"


def read(world: Directory, way: str, text: str, *wanted: str) -> Reading:
    """What is read after this LDIF was added."""
    world.server.modify(person(world.base, {"id": "first", "name": "", "mail": ""}))
    source = world.open(Wanted(frozenset({"uid", *wanted})))
    cookie = None if way == EVERYTHING else Reading(source).cookie
    world.server.modify(text)
    return Reading(source, cookie)


def odd(reading: Reading) -> Entry:
    """The one entry that is not the first."""
    assert reading.verdict is not None
    assert reading.verdict.complete, reading.verdict.reason
    (entry,) = [each for each in reading.read if each.attributes.get("uid") != "first"]
    return entry


def entry(world: Directory, rdn: str, *lines: str) -> str:
    head = encoded("dn", f"{rdn},{world.base}".encode())
    return f"{head}objectClass: inetOrgPerson\ncn: x\nsn: x\n{''.join(lines)}\n"


VALUES: dict[str, tuple[str, bytes | str]] = {
    "a photo that happens to be text": ("jpegPhoto", b"plain"),
    "a certificate of 1 MB": ("userPKCS12", bytes(range(256)) * 4096),
    "a text of 1 MB": ("carLicense", "Zoë " * 250_000),
    "bytes that are no UTF-8": ("audio", b"\xff\xfe\x00"),
    "an overlong form": ("audio", b"\xc0\xaf"),
    "half of a surrogate pair": ("audio", b"\xed\xa0\x80"),
    "a nought in the midst": ("carLicense", "a\x00b"),
    "any script": ("carLicense", "Ωμέγα 漢字 \U0001f9d1‍\U0001f52c ‏עברית"),
    "blanks at both ends": ("carLicense", " a "),
    "line ends": ("carLicense", "a\r\nb\n"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_as_it_is(world: Directory, way: str, name: str) -> None:
    attribute, value = VALUES[name]
    sent = value if isinstance(value, bytes) else value.encode()
    found = odd(read(world, way, entry(world, "uid=odd", encoded(attribute, sent)), attribute))
    assert found.attributes[attribute] == value


def test_one_value_that_is_no_text_makes_bytes_of_all(world: Directory, way: str) -> None:
    lines = encoded("audio", b"text"), encoded("audio", b"\xff")
    found = odd(read(world, way, entry(world, "uid=odd", *lines), "audio"))
    assert found.attributes["audio"] == [b"text", b"\xff"]


def test_several_values_where_one_is_expected_are_a_list(world: Directory, way: str) -> None:
    lines = "employeeType: a\nemployeeType: b\n", "uid: second\n"
    found = odd(read(world, way, entry(world, "uid=odd", *lines), "employeeType"))
    assert found.attributes["employeeType"] == ["a", "b"]
    assert sorted(found.attributes["uid"]) == ["odd", "second"]


def test_an_attribute_with_an_option_is_another_one(world: Directory, way: str) -> None:
    lines = "title: Chef\ntitle;lang-de: Koch\ntitle;lang-fr: Cuisinier\n"
    found = odd(read(world, way, entry(world, "uid=odd", lines), "title", "title;lang-DE"))
    assert found.attributes["title"] == "Chef"
    assert found.attributes["title;lang-DE"] == "Koch"
    assert len(found.attributes) == 5


def test_a_binary_option_comes_whether_it_is_asked_for_or_not(world: Directory, way: str) -> None:
    """RFC 4522: a certificate is sent as `userCertificate;binary` in any case."""
    pem = (world.server.folder / "tls/good.pem").read_text()
    certificate = ssl.PEM_cert_to_DER_cert(pem)
    lines = encoded("userCertificate;binary", certificate)
    found = odd(read(world, way, entry(world, "uid=odd", lines), "userCertificate"))
    assert found.attributes["userCertificate"] == certificate


def test_names_of_attributes_ignore_case(world: Directory, way: str) -> None:
    lines = "EMPLOYEENUMBER: 7\n"
    found = odd(read(world, way, entry(world, "UID=odd", lines), "employeenumber"))
    assert found.attributes["employeenumber"] == "7"


@pytest.mark.parametrize(
    "rdn",
    [
        r"uid=a\, b", r"uid=a\+b", r"uid=\#a", r"uid=\ a\ ", r"uid=a\\b", r"uid=a\"b\;\<\>",
        r"uid=a\3Db", r"uid=Zo\C3\AB", "uid=Zoë", r"uid=a\00b", "uid=a+sn=x", "SN=x+UID=a",
        r"uid=a\0D\0Ab", "uid=漢字",
    ],
)  # fmt: skip
def test_a_dn_with_any_escape_is_a_name_that_others_can_use(
    world: Directory, way: str, rdn: str
) -> None:
    found = odd(read(world, way, entry(world, rdn)))
    assert found.ref == names.normal(f"{rdn},{world.base}")
    assert names.normal(found.attributes["dn"]) == found.ref


def test_an_alias_is_nobody_and_is_not_followed(world: Directory, way: str) -> None:
    text = ldif(f"uid=alias,{world.base}", objectClass=("alias", "extensibleObject"), uid="alias",
                aliasedObjectName=f"uid=first,{world.base}")  # fmt: skip
    reading = read(world, way, text)
    assert reading.verdict is not None
    assert reading.verdict.complete
    assert {entry.attributes["uid"] for entry in reading.read} <= {"first"}


@pytest.mark.parametrize(
    ("where", "missed"), [("ou=there,{base}", True), ("ou=there,dc=elsewhere", False)]
)
def test_a_referral_object_is_something_missed_where_it_leads_below_the_base(
    world: Directory, way: str, where: str, missed: bool
) -> None:
    url = f"ldap://other.example/{where.format(base=world.base)}"
    text = ldif(f"ou=there,{world.base}", objectClass=("referral", "extensibleObject"), ou="there",
                ref=url)  # fmt: skip
    reading = read(world, way, text)
    world.server.delete(f"ou=there,{world.base}")  # others search above this branch
    assert reading.verdict is not None
    assert reading.verdict.complete is not missed
    assert ("on another server" in reading.verdict.reason) is missed


def test_an_entry_without_anything_but_its_id_is_one(world: Directory, way: str) -> None:
    source = world.open(Wanted())
    cookie = None if way == EVERYTHING else Reading(source).cookie
    world.server.modify(entry(world, "uid=odd"))
    (found,) = Reading(source, cookie).read
    assert found.attributes.keys() == {"dn", "entryUUID"}
