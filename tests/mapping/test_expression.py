"""What expressions mean: absence, precedence, comparisons, conditions, and what they refuse."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import EntryFault, FileFaults
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.moments import Now, Today

ABSENT = pytest.mark.parametrize("nothing", [None, "", "  ", [], [" ", None]])


@ABSENT
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a", None),
        ("a | upper", None),
        ("a + 'x'", None),
        ("f'{a}-{b}'", None),
        ("a == 'x'", False),
        ("a != 'x'", True),
        ("a < 5", False),
        ("a >= 5", False),
        ("a in ('x', 'y')", False),
        ("a not in ('x', 'y')", True),
        ("'x' in a", False),
        ("'x' not in (a or [])", True),
        ("a == c", False),
        ("a != c", True),
        ("a is none", True),
        ("a is not none", False),
        ("a | empty", True),
        ("a | present", False),
        ("not a", True),
        ("a or b", "x"),
        ("a and b", None),
        ("b if a else 'other'", "other"),
        ("a | default('d')", "d"),
        ("coalesce(a, c, b)", "x"),
        ("join('-', a, b)", "x"),
        ("a | lookup('departments', 'Unknown')", "Unknown"),
        ("[x for x in a]", None),
        ("[x for x in (a, b)]", ["x"]),
        ("end_of(a, 'UTC') <= now", False),
        ("(a | bool) or b == 'x'", True),
    ],
)
def test_nothing_is_one_thing_and_flows(text, wanted, nothing, evaluate):
    assert evaluate(text, a=nothing, b="x") == wanted


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        # `|` binds tighter than or, and, not and comparisons, and less than + - and *.
        ("a or b | upper", {"a": "x", "b": "y"}, "x"),
        ("(a or b) | upper", {"a": "x"}, "X"),
        ("a | upper == 'X'", {"a": "x"}, True),
        ("not a | bool", {"a": "no"}, True),
        ("a == 'x' and b | empty", {"a": "x"}, True),
        ("a + b | upper", {"a": "x", "b": "y"}, "XY"),
        ("a | trim | upper | left(1)", {"a": " xy"}, "X"),
        # A list of one is its element, and one value a list of one.
        ("a == 'x'", {"a": ["x"]}, True),
        ("a in ('x', 'y')", {"a": ["x"]}, True),
        ("'x' in a", {"a": "x"}, True),
        ("'x' in a", {"a": "xyz"}, False),
        ("'x' in a", {"a": ["w", "x"]}, True),
        ("a == b", {"a": ["x", "y"], "b": ["x", "y"]}, True),
        ("[x | upper for x in a if x | starts('s')]", {"a": ["sa", "b", "sc"]}, ["SA", "SC"]),
        ("[x + y for x in a for y in b]", {"a": ["1", "2"], "b": ["3"]}, ["13", "23"]),
        ("[p | after(':') for p in items if p | matches('^SMTP:')] | first",
         {"items": ["smtp:z", "SMTP:y"]}, "y"),
        # 0 is a value, not nothing.
        ("a or 5", {"a": 0}, 0),
        ("a | int or 5", {"a": "0"}, 0),
        ("(a == 'y') or b", {"a": "x", "b": "z"}, "z"),
        ("'yes' if a == 'x' else 'no'", {"a": "x"}, "yes"),
        ("1 < a < 3", {"a": 2}, True),
        ("1 < a < 3", {"a": 3}, False),
        ("a < 'b'", {"a": "a"}, True),
        ("a == 2.0", {"a": 2}, True),
        ("a * 2 - 1", {"a": 4}, 7),
        ("-5 + a", {"a": 4}, -1),
        ("a // 2 % 2", {"a": 7}, 1),
        ("f'{a}.{b | upper}!'", {"a": "x", "b": "y"}, "x.Y!"),
        ("f'{a}'", {"a": 5}, "5"),
        ("src['name']", {"name": "n"}, "n"),
        ("NAME", {"name": "n"}, "n"),
        ("src['employee number']", {"employee number": "7"}, "7"),
        ("a", {"A": "x"}, "x"),
        ("a == true", {"a": True}, True),
        ("a != True", {"a": False}, True),
        ("tz", {}, "UTC"),
        ("['x', a, 'y']", {"a": ["1", "2"]}, ["x", "1", "2", "y"]),
    ],
)  # fmt: skip
def test_an_expression_means_what_it_says(text, given, wanted, evaluate):
    assert evaluate(text, **given) == wanted


@pytest.mark.parametrize(
    ("text", "given", "reason"),
    [
        # A comparison that cannot be made would quietly miss the person it is meant to find.
        ("a == 5", {"a": "5"}, "compares text with a number: use int or num, or quote the number"),
        ("a != 5", {"a": "5"}, "compares text with a number"),
        ("a == true", {"a": "yes"}, "compares text with true or false: use bool"),
        ("a < now", {"a": "2026-01-01"}, "compares text with now: use date or datetime"),
        ("a == 'x'", {"a": ["x", "y"]}, "several values"),
        ("a < b", {"a": True, "b": False}, "compares true or false with true or false"),
        ("a in (1, 2)", {"a": "1"}, "compares text with a number"),
        ("'x' if a else 'y'", {"a": "no"}, "is text where true or false is expected"),
        ("not a", {"a": "no"}, "is text where true or false is expected"),
        ("a + 1", {"a": "x"}, "has text + a number"),
        ("a * 3", {"a": "x"}, "has text * a number"),
        ("a % b", {"a": "%s", "b": "x"}, "has text % text"),
        ("a * a", {"a": 10**10}, "more than 18 digits"),
        ("a / 0", {"a": 1}, "divides by zero"),
        ("(a | date) - (b | date)", {"a": "2026-01-01", "b": "2026-01-02"}, "use days_between"),
        ("(a | date) + 5", {"a": "2026-01-01"}, "has a date + a number"),
    ],
)
def test_what_cannot_be_worked_out_is_an_error_and_never_just_false(text, given, reason, evaluate):
    with pytest.raises(EntryFault) as raised:
        evaluate(text, **given)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        # Nothing of Python can be reached.
        ("a.__class__", "1:1: a dot is not part of the language"),
        ("''.join(items)", "1:1: calling this is not part of the language"),
        ("__import__('os')", "1:1: unknown function '__import__'"),
        ("a | __class__", "1:5: unknown function '__class__'"),
        ("open('/etc/passwd')", "1:1: unknown function 'open'"),
        ("f'{a.__class__}'", "a dot is not part of the language"),
        ("f'{a!r}'", "a format after ! or : is not part of the language"),
        ("f'{a:>9999999999}'", "a format after ! or : is not part of the language"),
        ("f'{a:{b}}'", "a format after ! or : is not part of the language"),
        ("lambda: a", "1:1: lambda is not part of the language"),
        ("(x := a)", "1:2: := is not part of the language"),
        ("[x.y for x in a]", "1:2: a dot is not part of the language"),
        ("[x for x, y in a]", "1:8: after `for` comes one plain name"),
        ("[now for now in a]", "1:10: 'now' has a meaning of its own"),
        ("count(x for x in a)", "1:6: a loop without square brackets"),
        ("{x for x in a}", "a set of a loop is not part of the language"),
        ("{'x': a}", "1:1: a table (use lookups) is not part of the language"),
        ("a[0]", "1:1: an index (use item, or src['name'] for an attribute)"),
        ("a[1:]", "1:1: a slice (use left or mid) is not part of the language"),
        ("2 ** 9", "1:1: this operator is not part of the language"),
        ("9 ** 9 ** 9", "1:1: this operator is not part of the language"),
        ("~5", "1:1: this operator is not part of the language"),
        ("a & b", "1:1: this operator is not part of the language"),
        ("b'x'", "1:1: a constant is text"),
        ("...", "1:1: a constant is text"),
        ("9999999999999999999", "1:1: a number has at most 18 digits"),
        ("1e400", "1:1: a number has at most 18 digits"),
        ("'x' * 3", "1:1: has text * a number"),
        ("'%s' % a | upper % 'x'", "1:12: after | comes a function"),
        ("replace(*a)", "1:1: replace takes 3 arguments, not 1"),
        ("coalesce(*a)", "1:10: a star is not part of the language"),
        ("a | date(format='%d')", "1:17: arguments have no names here"),
        # What is surely meant otherwise.
        ("Chief", "1:1: unknown name 'Chief' (text is written in quotes)"),
        ("Chief Officer", "not an expression: invalid syntax (fixed text is written {const: ...})"),
        ("a == none", "1:1: nothing is ever equal to nothing (write `is none`, or use empty)"),
        ("a != ''", "1:1: nothing is ever equal to nothing"),
        ("a is 'x'", "1:6: after `is` comes none or not none (values: use ==)"),
        ("a in 'xyz'", "1:6: after `in` comes a list (parts of a text: use contains)"),
        ("a | 'x'", "1:5: after | comes a function"),
        ("a | default('x') + 'y'", "1:5: after | comes a function"),
        ("a # b", "not an expression"),
        ("a; b", "not an expression"),
        ("a = b", "not an expression"),
        ("a) + (b", "not an expression"),
        ("", "1:1: an expression is missing"),
        ("upper", "1:1: unknown name 'upper' (upper is a function: upper(...))"),
        ("itmes", "1:1: unknown name 'itmes' (did you mean 'items'?)"),
        ("coalesce(a | ref('dn'), b)", "1:14: ref is the last step of an attribute's value"),
        # Bytes of UTF-8 do not count as columns.
        ("'äöü' + nope", "1:9: unknown name 'nope'"),
    ],
)
def test_what_is_not_of_the_language_is_refused_at_its_place(text, fault, evaluate):
    with pytest.raises(FileFaults) as raised:
        evaluate(text)
    (found,) = raised.value.faults
    assert fault in f"{found.line}:{found.column}: {found.message} ({found.hint})"


# -- any expression whatever ------------------------------------------------------------------

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.sampled_from([10**4000, -(2**63), 2**63 - 1, float("nan"), float("inf")]),
    st.text(max_size=12),
    st.sampled_from(
        [
            "2026-06-15",
            "31.12.9999",
            "0",
            "yes",
            "Europe/Berlin",
            "100",
            "9" * 18,
            "9223372036854775807",
            "20260613190000.5+0200",
            "/Date(1781370000000)/",
            "CN=Zoë,OU=Staff,DC=x",
            "{6B29FC40-CA47-1067-B31D-00DD010662DA}",
            "S-1-5-18",
            "Germany",
            "x\ud800",
            "\x00",
        ]
    ),
    st.binary(max_size=20),
    st.lists(st.one_of(st.text(max_size=5), st.integers(0, 9)), max_size=4),
)
_LEAVES = st.sampled_from(
    ["a", "b", "c", "items", "now", "today", "tz", "none", "true", "'x'", "''", "' '", "0", "7",
     "-1", "2.5", "'2026-06-15'", "date('9999-12-31')", "days(30)", "[]", "src['name']"]
)  # fmt: skip
_FIXED = {"lookup": ["'departments'"], "resub": ["'x'", "'y'"], "extract": ["'x'"],
          "matches": ["'.'"], "ref": ["'dn'"], "date": ["'%d.%m.%Y'"], "datetime": ["'%d.%m.%Y'"],
          "format_date": ["'%d.%m.%Y'"], "under": ["'dc=x'"], "country_name": ["'de'"]}  # fmt: skip


def _calls(inner):
    def call(parts):
        name, arguments = parts
        function = FUNCTIONS[name]
        fixed = _FIXED.get(name, [])
        count = max(0, function.least - 1 - len(fixed))
        return f"(({arguments[0]}) | {name}({', '.join([*fixed, *arguments[1 : 1 + count]])}))"

    names = st.sampled_from(sorted(FUNCTIONS))
    return st.tuples(names, st.lists(inner, min_size=4, max_size=4)).map(call)


def _trees(inner):
    operators = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
    )
    return st.one_of(
        _calls(inner),
        st.tuples(inner, operators, inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        inner.map(lambda p: f"not ({p})"),
        inner.map(lambda p: f"({p}) is none"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]}) if ({p[1]}) else ({p[2]})"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]} for x in ({p[1]})]"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]}, {p[1]}]"),
        st.tuples(inner, inner).map(lambda p: f'f"{{{p[0]}}}-{{{p[1]}}}"'),
    )


EXPRESSIONS = st.recursive(_LEAVES, _trees, max_leaves=12)
GIVEN = st.fixed_dictionaries({}, optional=dict.fromkeys(("a", "b", "c", "items", "name"), _VALUES))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


def _plain(value):
    """A value for comparing; what stands for the clock itself is the same at any moment."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "the clock" if isinstance(value, Now | Today) else repr(value)


@given(text=EXPRESSIONS, values=GIVEN, now=MOMENTS)
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250
)
def test_any_expression_on_any_record_is_a_fault_or_a_value_and_nothing_else(
    evaluate, text, values, now
):
    with contextlib.suppress(EntryFault, FileFaults):
        evaluate(text, now=now, **values)


_SECRETS = st.sampled_from(
    ["geheim", "geheim 2026-06-15", "CN=geheim", "{geheim}", ["geheim", "geheim too"], b"geheim"]
)


@given(
    text=EXPRESSIONS,
    values=st.fixed_dictionaries(dict.fromkeys(("a", "b", "c", "items", "name"), _SECRETS)),
)
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250
)
def test_no_error_repeats_what_a_record_holds(evaluate, text, values):
    said = ""
    try:
        evaluate(text, **values)
    except (EntryFault, FileFaults) as error:
        said = str(error)
    assert "geheim" not in said


@given(text=EXPRESSIONS, values=GIVEN, now=MOMENTS, part=st.floats(0, 1))
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250
)
def test_an_answer_stands_until_the_moment_it_says(evaluate, until, text, values, now, part):
    try:
        answer, end = _plain(evaluate(text, now=now, **values)), until(text, now=now, **values)
    except (EntryFault, FileFaults):
        return
    last = (end or now + timedelta(days=40_000)) - timedelta(microseconds=1)
    for moment in (now + (last - now) * part, last):
        assert _plain(evaluate(text, now=moment, **values)) == answer
