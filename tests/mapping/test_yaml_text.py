"""YAML as a tree of text with positions, and what of YAML is refused."""

from __future__ import annotations

import pytest

from bridge.errors import FileFaults
from bridge.mapping.faults import Faults, Place
from bridge.mapping.yaml_text import MAX_BYTES, Items, Scalar, Table, parse, plain


def tree(text):
    faults = Faults("f", text)
    node = parse(text, faults)
    if node is None or len(faults):
        raise faults.error()
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0123", "0123"), ("NO", "NO"), ("yes", "yes"), ("12:30", "12:30"), ("True", "True"),
        ("2026-07-04", "2026-07-04"), ("0x1F", "0x1F"), ("1_000", "1_000"), (".5", ".5"),
        ("1e3", "1e3"), (".inf", ".inf"), ("~", "~"), ("+5", "+5"), ("00", "00"),
        ("'5'", "5"), ('"true"', "true"), ("'null'", "null"), ("9" * 19, "9" * 19),
        ("true", True), ("false", False), ("null", None), ("", None),
        ("5", 5), ("-5", -5), ("0", 0), ("2.50", 2.5),
    ],
)  # fmt: skip
def test_a_value_is_text_unless_it_is_plainly_something_else(text, value):
    assert plain(tree(f"key: {text}")) == {"key": value}
    assert type(plain(tree(f"key: {text}"))["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "find", "place"),
    [
        ("a: x | nope", "nope", (1, 8)),
        ("a: 'x''y nope'", "nope", (1, 10)),
        ('a: "x\\ty\\u00e4\\x41 nope"', "nope", (1, 20)),
        ('a: "x \\\n   nope"', "nope", (2, 4)),
        ("a:\n  x |\n    nope", "nope", (3, 5)),
        ("a: |\n  x\n  y nope\n", "nope", (3, 5)),
        ("a: >-\n\n  x\n\n   nope\n", "nope", (5, 4)),
        ("a: 'x\n\n   y\n  nope'", "nope", (4, 3)),
        ("äö: [x, {ü: 'ß nope'}]", "nope", (1, 16)),
        ("a: [x, nope]", "nope", (1, 8)),
    ],
)
def test_a_character_of_a_value_is_found_where_it_stands(text, find, place):
    scalars, nodes = [], [tree(text)]
    while nodes:
        match nodes.pop():
            case Scalar() as scalar:
                scalars.append(scalar)
            case Items(items=items):
                nodes.extend(items)
            case Table(values=values):
                nodes.extend(values.values())
    (scalar,) = [each for each in scalars if find in each.text]
    found = scalar.at(scalar.text.index(find))
    assert (found.line, found.column) == place
    lines = text.split("\n")
    assert lines[found.line - 1][found.column - 1 :].startswith(find)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: the file is empty"),
        ("# nothing\n", "1:1: the file is empty"),
        ("a: &x 1\nb: *x", "1:4: YAML anchors are not allowed"),
        ("a: *x", "1:4: YAML aliases are not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "1:4: YAML tags are not allowed"),
        ("a: !include x", "1:4: YAML tags are not allowed"),
        ("a: 1\nb: 2\na: 3", "3:1: 'a' stands here a second time (the first is in line 1)"),
        ("x: {a: 1, 'a': 3}", "1:11: 'a' stands here a second time (the first is in line 1)"),
        ("? [a, b]\n: c", "1:3: a key is a single word or text"),
        ("a: 1\n---\nb: 2", "2:1: a second document: one file is one source"),
        (
            "a: [1, 2",
            "2:1: not valid YAML: the list that begins in line 1 is not closed before this "
            "(`,` or `]`)",
        ),
        ('a: "\\ud83d"', "1:7: not valid YAML: found invalid Unicode character escape code"),
        ("a: b: c", "1:5: not valid YAML: a second `: ` on one line"),
        ("a:\n\t- b", "2:1: not valid YAML: a tab where blanks belong"),
        ("a: 1\nb: \x00", "2:4: a character YAML forbids"),
        ("[" * 40 + "]" * 40, "1:21: nested deeper than 20 levels"),
        ("".join(" " * i + f"k{i}:\n" for i in range(40)), "nested deeper than 20 levels"),
        ("x" * (MAX_BYTES + 1), "1:1: the file is larger than 1 MB"),
        ("ä" * (MAX_BYTES // 2 + 1), "1:1: the file is larger than 1 MB"),
        ("- " * 100_000, "nested deeper than 20 levels"),
        ("{" * 500_000, "exceeded maximum nesting depth"),
        ("a: '" + "x" * 10_000_000 + "'", "1:1: the file is larger than 1 MB"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text, fault):
    with pytest.raises(FileFaults) as raised:
        tree(text)
    assert fault in str(raised.value)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor():
    rows = ["a0: &a0 [lol]", *(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 30))]
    with pytest.raises(FileFaults) as raised:
        tree("\n".join(rows))
    assert str(raised.value) == "f:1:5: YAML anchors are not allowed"


def test_a_fault_holds_the_line_it_stands_in():
    with pytest.raises(FileFaults) as raised:
        tree("a: 1\nb: !x y\n")
    assert raised.value.faults[0].source_line == "b: !x y"


def test_a_place_counts_from_one():
    assert tree("a: b").place == Place(1, 1)


def test_a_byte_order_mark_is_no_column():
    value = tree("\ufeffa: b").values["a"]
    assert value.at(0) == Place(1, 4)
