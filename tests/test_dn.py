from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import dn

# Each row: spellings of one and the same name, its normal one first.
SAME = [
    ["uid=ann,ou=people,dc=uni,dc=example", "UID=Ann, OU=People ,DC=uni,DC=EXAMPLE",
     "uid = ann , ou = people , dc = uni , dc = example", "userid=ann,ou=People,dc=uni,dc=example",
     "0.9.2342.19200300.100.1.1=ann,2.5.4.11=people,domainComponent=uni,OID.0.9.2342.19200300.100.1.25=example"],
    ["cn=müller\\, zoë,dc=x", "CN=Müller\\2c Zoë,dc=x", "cn=M\\c3\\bcller\\, Zo\\C3\\AB,dc=x",
     "cn=mu\u0308ller\\,  zoe\u0308 ,dc=x", "commonName=MÜLLER\\, ZOË,dc=X"],
    ["cn=a+uid=b,dc=x", "uid=B+cn=A,dc=x", "UID=b + CN=a,dc=x"],
    ["cn=strasse,dc=x", "cn=Straße,dc=x", "cn=ＳＴＲＡSSE,dc=x"],
    ["cn=before after,dc=x", "cn=Before   After,dc=x", "cn=\\20Before After\\20,dc=x",
     "cn=\\ before\\20\\20after\\ ,dc=x"],
    ["cn=\\#hash \\+ \\\"q\\\" \\<a\\>\\; b\\\\c=d",
     "cn=\\23Hash \\2b \\22q\\22 \\3ca\\3e\\3b b\\5cc\\3dd"],
    ["cn=hi,dc=x", "cn=#04024869,dc=x", "2.5.4.3=#0c024869,dc=x", "cn=#13024849 ,dc=x"],
    ["1.3.6.1.4.1.1466.0=#020101,o=test", "1.3.6.1.4.1.1466.0=#020101,O=Test"],
    ["cn=nul\\00,dc=x", "CN=NUL\\00,DC=x"],
    ["cn=,dc=x", "cn= ,dc=x"],
    ["", "  "],
]  # fmt: skip

GARBAGE = [
    "ann", "=ann", "cn", "cn=a,", ",cn=a", "cn=a,,dc=x", "cn=a+", "cn=a;dc=x", 'cn="a,b",dc=x',
    "cn=a<b", "cn=a\\", "cn=a\\q", "cn=a\\c3,dc=x", "cn=#0", "cn=#xy", "cn=#", "cn=a\0", "1=a",
    "c n=a", "<GUID=00>;cn=a", "cn=a\\zz", "müll=a", "cn=#0402zz",
]  # fmt: skip


@pytest.mark.parametrize("spellings", SAME, ids=lambda row: row[0])
def test_every_spelling_of_a_name_gives_the_same_text(spellings: list[str]) -> None:
    assert [dn.normal(each) for each in spellings] == [spellings[0]] * len(spellings)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_name_is_refused_without_being_repeated(garbage: str) -> None:
    with pytest.raises(ValueError, match="no DN") as raised:
        dn.normal(garbage)
    assert "ann" not in str(raised.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [("cn=a,dc=x", "cn=b,dc=x"), ("cn=a\\,dc=x", "cn=a,dc=x"), ("cn=a\\+uid=b", "cn=a+uid=b"),
     ("cn=a b", "cn=ab"), ("cn=\\#0401", "cn=#0401"), ("cn=a\\\\", "cn=a")],
)  # fmt: skip
def test_different_names_stay_different(one: str, other: str) -> None:
    assert dn.normal(one) != dn.normal(other)


@pytest.mark.parametrize(
    ("name", "above"),
    [("uid=ann,OU=People,dc=x", "ou=people,dc=x"), ("cn=a\\,b+ou=c,dc=x", "dc=x"), ("dc=x", "")],
)
def test_the_parent_is_what_a_name_stands_in(name: str, above: str) -> None:
    assert dn.parent(name) == above


def test_the_empty_name_has_no_parent_and_no_parts() -> None:
    for ask in (dn.parent, dn.above, dn.leaf):
        with pytest.raises(ValueError, match="the empty DN has no"):
            ask("")


@pytest.mark.parametrize(
    ("name", "above", "leaf"),
    [
        ("CN=Zoë,OU=Staff, DC=x", "OU=Staff, DC=x", "Zoë"),
        ("CN=Müller\\, Zo\\c3\\ab + UID=z , DC=x", "DC=x", "Müller, Zoë"),
        ("cn=a\\ ,dc=x\\ ", "dc=x\\ ", "a"),
        ("cn=#04024869,dc=x", "dc=x", "#04024869"),
        ("DC=x", "", "x"),
        ("cn=,dc=x", "dc=x", ""),
    ],
)
def test_parts_of_a_name_are_told_as_they_are_spelled(name: str, above: str, leaf: str) -> None:
    assert (dn.above(name), dn.leaf(name)) == (above, leaf)
    assert not above or dn.normal(above) == dn.parent(name)


@given(st.text(st.characters(codec="utf-8", exclude_characters=',+\\"<>;=#\0'), max_size=8))
def test_names_in_any_script_have_one_spelling(value: str) -> None:
    """The short way for names without escapes comes to what the long way does."""
    for name in (f"cn={value},dc=x", f"CN=a {value},DC=X"):
        assert dn.normal(name) == ",".join(dn._rdns(name))


@pytest.mark.parametrize(
    ("name", "base", "under"),
    [
        ("uid=ann,ou=people,dc=x", "OU=People, DC=x", True),
        ("OU=People,dc=x", "ou=people,dc=x", True),
        ("ou=people,dc=x", "uid=ann,ou=people,dc=x", False),
        ("cn=a\\,ou=people,dc=x", "ou=people,dc=x", False),
        ("uid=ann,ou=morepeople,dc=x", "ou=people,dc=x", False),
        ("uid=ann,ou=people,dc=x", "", True),
    ],
)
def test_a_name_is_under_itself_and_whatever_it_stands_in(
    name: str, base: str, under: bool
) -> None:
    assert dn.is_under(name, base) is under


def escaped(value: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in value.encode())


VALUES = st.text(st.characters(codec="utf-8"), max_size=12)
TYPES = st.sampled_from(["cn", "OU", "uid", "2.5.4.3", "x-odd", "1.2.3"])
RDNS = st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=3)
NAMES = st.lists(RDNS, max_size=4)


@given(NAMES)
def test_any_name_is_normal_once_normalised_and_has_its_parents(
    rdns: list[list[tuple[str, str]]],
) -> None:
    name = ",".join("+".join(f"{kind}={escaped(value)}" for kind, value in rdn) for rdn in rdns)
    known = dn.normal(name)
    assert dn.normal(known) == known
    assert dn.is_under(name, known)
    above = name
    for _ in rdns:
        assert dn.is_under(above, above := dn.parent(above))
    assert above == ""


@given(st.text(st.sampled_from('cn=,+\\#";<> a02cC3ü\0.'), max_size=20))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        known = dn.normal(text)
    except ValueError:
        return
    assert dn.normal(known) == known


@given(
    st.from_regex(r"(cn|uid)=[A-Za-z.]+( [a-z]+)?(,(ou|dc)=[A-Z]+( [a-z]+)?){0,3}", fullmatch=True)
)
def test_the_short_way_for_plain_names_gives_what_the_long_one_gives(name: str) -> None:
    assert dn.normal(name) == ",".join(dn._rdns(name))
