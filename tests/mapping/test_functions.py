"""Every function does what its documentation shows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from importlib import resources

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import EntryFault, FileFaults
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.values import Reference, clean

GUID = bytes.fromhex("40fc296b47ca6710b31d00dd010662da")
SID = bytes.fromhex("010500000000000515000000dcf4dc3b833d2b46828ba62800020000")
_EXAMPLE = re.compile(r"^ *>>> (.*)\n *(.*)$", re.MULTILINE)
EXAMPLES = [
    pytest.param(text, wanted, id=f"{name}: {text}")
    for name, function in FUNCTIONS.items()
    for text, wanted in _EXAMPLE.findall(function.doc)
]
_NAMES = {"absent": None, "date": date, "datetime": datetime, "UTC": UTC, "Reference": Reference}


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES)
def test_an_example_gives_what_its_documentation_says(text, wanted, evaluate):
    value = evaluate(text)
    expected = eval(wanted, _NAMES)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_it_does_and_how_it_is_called(name):
    doc = FUNCTIONS[name].doc
    assert re.search(rf"`{name}\(", doc.split("\n")[0])
    assert ">>> " in doc


@pytest.mark.parametrize(
    "name",
    sorted(set(FUNCTIONS) - {"lookup", "default", "coalesce", "present", "empty", "join", "ref"}),
)
def test_a_function_given_nothing_gives_nothing(name, evaluate):
    needed = {"left": "1", "right": "1", "mid": "1", "word": "1", "bit": "1", "under": "'dc=x'",
              "country_name": "'en'", "item": "1", "replace": "'x', 'y'",
              "resub": "'x', 'y'", "days_between": "today"}  # fmt: skip
    more = needed.get(name, "'x'" if FUNCTIONS[name].least > 1 else "")
    assert evaluate(f"a | {name}({more})") is None
    assert evaluate(f"a | {name}({more})", a=" ") is None


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("a | left(3)", {"a": "  xyz"}, "  x"),
        ("a | left(2)", {"a": "  xyz"}, None),
        ("a | after('-')", {"a": "x-  "}, None),
        ("a | resub('.', '')", {"a": "xyz"}, None),
        ("a | split(',')", {"a": " , ,"}, None),
        ("a | mid(9)", {"a": "xyz"}, None),
        ("a | upper", {"a": ["x"]}, "X"),
        ("a | upper", {"a": 5}, "5"),
        ("a | first", {"a": "x"}, "x"),
        ("a | count", {"a": "x"}, 1),
        ("a | join(', ')", {"a": "x"}, "x"),
        ("a | join(', ')", {}, None),
        ("join(', ', a, b)", {"a": ["x", "y"], "b": "z"}, "x, y, z"),
        ("a | contains('x')", {"a": ["xy"]}, False),
        ("a | contains('x')", {"a": "xy"}, True),
        ("a | lookup('departments', b)", {"a": "7", "b": "Other"}, "Other"),
        ("a | lookup('departments')", {"a": 100}, "Engineering"),
        ("lookup(a, 'departments', b)", {}, None),
        ("a | int", {"a": "-7"}, -7),
        ("a | bool", {"a": "NO"}, False),
        ("a | ascii", {"a": "Łukasz Đặng"}, "Lukasz Dang"),
        ("a | ascii", {"a": "北京"}, None),
        ("a | matches('(?i)^SMTP:')", {"a": "smtp:x"}, True),
        (r"a | extract('(\d+)-(\d+)')", {"a": "x 12-34"}, "12"),
        ("a | right(2)", {"a": "xyz"}, "yz"),
        ("a | right(9)", {"a": "xyz"}, "xyz"),
        ("a | right(0)", {"a": "xyz"}, None),
        # The 16 bytes of a GUID are in Microsoft's order; text is what it says.
        ("a | guid", {"a": GUID}, "6b29fc40-ca47-1067-b31d-00dd010662da"),
        ("a | guid", {"a": [GUID]}, "6b29fc40-ca47-1067-b31d-00dd010662da"),
        (
            "a | guid",
            {"a": " 6B29FC40CA471067B31D00DD010662DA"},
            "6b29fc40-ca47-1067-b31d-00dd010662da",
        ),
        ("a | b64", {"a": GUID}, "QPwpa0fKZxCzHQDdAQZi2g=="),
        ("a | hex", {"a": GUID}, "40fc296b47ca6710b31d00dd010662da"),
        ("a | hex", {"a": 5}, "35"),
        ("a | sid", {"a": SID}, "S-1-5-21-1004336348-1177238915-682003330-512"),
        ("a | sid", {"a": bytes((1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0))}, "S-1-5-18"),
        # groupType is a signed number; its highest bit says that a group is one of security.
        ("bit(a, 2147483648)", {"a": "-2147483646"}, True),
        ("bit(a, 2147483648)", {"a": "8"}, False),
        ("bit(a, 3)", {"a": 2}, False),
        ("a | rdn", {"a": r"uid=zo\c3\ab+cn=Z, dc=x"}, "zoë"),
        ("a | rdn", {"a": "cn=,dc=x"}, None),
        ("a | parent_dn", {"a": r"CN=a\,b, OU=Staff,DC=x"}, "OU=Staff,DC=x"),
        ("a | parent_dn", {"a": "DC=x"}, None),
        ("a | under('DC=x')", {"a": "dc=X"}, True),
        ("a | under('ou=b,dc=x')", {"a": r"cn=a\,ou=b,dc=x"}, False),
        ("a | under('ou=b,dc=x')", {"a": "cn=a,ou=b"}, False),
        ("a | country2", {"a": "de"}, "DE"),
        ("a | country2", {"a": "DEU"}, "DE"),
        ("a | country2", {"a": "56"}, "BE"),
        ("a | country2", {"a": 56}, "BE"),
        ("a | country2", {"a": "the united kingdom of Great Britain & Northern Ireland"}, "GB"),
        ("a | country2", {"a": "Cote d’Ivoire"}, "CI"),
        ("a | country2", {"a": "Osterreich"}, "AT"),
        ("a | country2", {"a": "Deutschland"}, "DE"),
        ("a | country2", {"a": "U.S.A."}, "US"),
        ("a | country2", {"a": "北京"}, None),
        ("a | country_name", {"a": "Schweiz"}, "Switzerland"),
        ("a | country_number", {"a": "AFG"}, "004"),
    ],
)  # fmt: skip
def test_a_function_takes_what_an_admin_would_give_it(text, given, wanted, evaluate):
    assert evaluate(text, **given) == wanted


@pytest.mark.parametrize(
    ("text", "given", "reason"),
    [
        ("a | int", {"a": "seven"}, "is not a number"),
        ("a | int", {"a": "1.5"}, "is not a whole number"),
        ("a | int", {"a": "9" * 20}, "more than 18 digits"),
        ("a | bool", {"a": "perhaps"}, "neither yes nor no"),
        ("a | upper", {"a": ["x", "y"]}, "several values"),
        ("a | upper", {"a": True}, "where text is expected"),
        ("a | upper", {"a": b"x"}, "is binary"),
        ("a | date('%d.%m.%Y')", {"a": "2019-02-01"}, "does not match format '%d.%m.%Y'"),
        ("a | date", {"a": "31.12.2026"}, "does not match format"),
        ("a | start_of", {"a": "2026-01-01"}, "where a date is expected: use date"),
        ("start_of(today, a)", {"a": "Mars/Olympus"}, "not the name of a time zone"),
        ("start_of(today, a)", {"a": "../../etc/passwd"}, "not the name of a time zone"),
        ("now | format_date('%H:%M')", {}, "changes every moment"),
        ("now | text", {}, "changes every moment"),
        ("a | mid(0)", {"a": "x"}, "from 1"),
        ("a | int | days", {"a": "99999999"}, "more days than a calendar has"),
        ("a | item(b)", {"a": "x", "b": "y"}, "where a whole number is expected"),
        ("a | guid", {"a": "seven"}, "is no GUID"),
        ("a | guid", {"a": b"seven"}, "binary of another length than the 16 bytes of a GUID"),
        ("a | sid", {"a": "S-seven"}, "is no security identifier"),
        ("a | sid", {"a": "S-1-5-x"}, "is no security identifier"),
        ("a | sid", {"a": SID[:-1]}, "is binary that is no security identifier"),
        ("a | sid", {"a": b"\x02" + SID[1:]}, "is binary that is no security identifier"),
        ("bit(a, 2)", {"a": "seven"}, "is not a number"),
        ("bit(a, 0)", {"a": 7}, "asks for no bit at all"),
        ("a | rdn", {"a": "seven"}, "is no DN"),
        ("a | parent_dn", {"a": "cn=x,seven"}, "is no DN"),
        ("a | under('dc=x')", {"a": "seven"}, "is no DN"),
        ("a | hex", {"a": "x\ud800"}, "holds half a character"),
        ("a | b64", {"a": b"x" * 60_000}, "grows beyond 65,536 characters"),
        ("a | filetime", {"a": "seven"}, "is no Windows time"),
        ("a | filetime", {"a": -1}, "is no Windows time"),
        ("a | filetime", {"a": 2**63}, "is no Windows time"),
        ("a | filetime", {"a": True}, "is true or false where text is expected"),
        ("a | to_filetime", {"a": "seven"}, "is text where a moment is expected"),
        ("a | to_epoch", {"a": "seven"}, "is text where a moment is expected"),
        ("now | to_filetime", {}, "is now where a moment is expected"),
        ("a | datetime | to_filetime", {"a": "1600-12-31T00:00:00Z"}, "is before 1601"),
        ("a | msdate", {"a": "/Date(seven)/"}, "is not a number"),
    ],
)
def test_what_a_function_cannot_take_is_an_error_without_the_value(text, given, reason, evaluate):
    with pytest.raises(EntryFault) as raised:
        evaluate(text, **given)
    assert reason in str(raised.value)
    assert "seven" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a | date('%d.%m')", "needs a day, a month and a year"),
        ("a | date('%Q')", "%Q is not a part of a date format"),
        ("a | format_date('%1000d')", "%1 is not a part of a date format"),
        ("a | format_date('%')", "% is not a part of a date format"),
        ("a | matches('(x')", "not a pattern of RE2"),
        (r"a | matches(r'(x)\1')", "not a pattern of RE2"),
        ("a | matches('(?=x)')", "not a pattern of RE2"),
        (r"a | resub('x', r'\1')", "names a bracket"),
        (r"a | resub('(x)', '\1')", "write r'...'"),
        (r"a | matches('\bx')", "write r'...'"),
        (r"a | resub('x', r'\g<0>')", "no other backslash"),
        (f"a | matches('{'x' * 501}')", "at most 500"),
        ("a | lookup('nope')", "there is no table 'nope'"),
        ("a | lookup(b)", "needs fixed text here"),
        ("a | ascii('dutch')", "'plain' or 'german'"),
        ("a | ref('nick')", "known by"),
        ("a | ref('dn', 'password')", "a link answers"),
        ("a | left", "left takes 2 arguments, not 1"),
        ("a | upper(b)", "upper takes 1 argument, not 2"),
        ("a | replace('', 'x')", "replace is given nothing here"),
        ("a | before('')", "before is given nothing here"),
        ("a | join", "join takes 2 to 50 arguments, not 1"),
        ("coalesce()", "coalesce takes 1 to 50 arguments, not 0"),
        ("date('31.02.2026')", "does not match format"),
        ("a | under('Leavers')", "no DN: no attribute type"),
        ("a | under('')", "no DN: everything is under the empty one"),
        ("a | under(b)", "needs fixed text here"),
        ("a | country_name('fr')", "the language is 'en' or 'de'"),
        ("a | uper", "unknown function 'uper' (did you mean 'upper'?)"),
    ],
)
def test_what_can_be_known_when_the_file_is_loaded_is_a_fault_then(text, reason, evaluate):
    with pytest.raises(FileFaults) as raised:
        evaluate(text, a="x", b="y")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Berlin skips from 02:00 to 03:00 on 29 March 2026: that day has 23 hours.
        ("start_of(date('2026-03-29'), 'Europe/Berlin')", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("end_of(date('2026-03-29'), 'Europe/Berlin')", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        # Santiago skips midnight itself on 6 September 2026: the day begins at 01:00.
        ("start_of(date('2026-09-06'), 'America/Santiago')", datetime(2026, 9, 6, 4, tzinfo=UTC)),
        # Samoa had no 30 December 2011.
        ("start_of(date('2011-12-31'), 'Pacific/Apia')", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("end_of(date('2011-12-29'), 'Pacific/Apia')", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        # Far away means for ever, in any zone.
        ("end_of(date('9999-12-31'), 'America/Chicago') > start_of(today)", True),
        ("end_of(date('9999-12-31') + days(90), 'Asia/Tokyo') > start_of(today)", True),
        ("start_of(date('0001-01-01') - days(1), 'Asia/Tokyo') < start_of(today)", True),
    ],
)
def test_days_begin_and_end_where_the_clocks_say_so(text, wanted, evaluate):
    assert evaluate(text) == wanted


def test_an_absent_zone_is_the_zone_of_the_file(evaluate):
    berlin = evaluate("end_of(date('2026-07-04'), a)", zone="Europe/Berlin")
    assert berlin == datetime(2026, 7, 4, 22, tzinfo=UTC)


def test_every_country_has_its_codes_and_is_found_by_all_of_its_names():
    table = resources.files("bridge.mapping.functions").joinpath("countries.tsv")
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) == len({row[0] for row in rows}) == len({row[2] for row in rows}) == 249
    for alpha2, alpha3, number, english, german in rows:
        assert re.fullmatch("[A-Z]{2} [A-Z]{3} [0-9]{3}", f"{alpha2} {alpha3} {number}")
        for name in (alpha2, alpha3, number, *english.split("|"), *german.split("|")):
            assert FUNCTIONS["country2"].make(None)(name.upper()) == alpha2


@given(
    letters=st.text(st.sampled_from("aZ09 @:_,;=/#+.()-"), min_size=1, max_size=6),
    negated=st.booleans(),
    plus=st.booleans(),
    text=st.text(
        st.one_of(st.characters(codec="utf-8"), st.sampled_from("aZ09 -+.\n")), max_size=9
    ),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_set_of_characters_means_what_re2_says(evaluate, letters, negated, plus, text):
    pattern = f"[{'^' * negated}{letters}]{'+' * plus}"
    try:
        wanted = re2.sub(pattern, "|", f"x{text}")
    except re2.error:
        return
    assert evaluate(f"a | resub('{pattern}', '|')", a=f"x{text}") == clean(wanted)


@pytest.mark.parametrize("pattern", ["^SMTP:", "^svc-", "^a b", "^a.b", "^", "^a$"])
@pytest.mark.parametrize("text", ["SMTP:x", "smtp:x", "svc-1", "x svc-1", "a b", "a.b", "axb", "a"])
def test_a_beginning_means_what_re2_says(pattern, text, evaluate):
    assert evaluate(f"a | matches('{pattern}')", a=text) is bool(re2.search(pattern, text))
