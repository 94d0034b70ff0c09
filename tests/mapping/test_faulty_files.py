"""Every fault of a file, at its place: a table of faulty files, which leaves out none.

The table is in `data/faults`: `==` and what is wrong, then sections in place of those of the small
file (whole files in `whole.txt` and `yaml.txt`), § before the place, then `>>` and how the message
begins. `«x*9»` is x nine times, and ␇ the bell.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge.mapping
from bridge.errors import FileFaults
from bridge.mapping import load
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.syntax import _WORDS as REFUSED

TABLE = Path(__file__).parent / "data" / "faults"
CODE = Path(bridge.mapping.__file__).parent

NOT_OF_A_FILE = (
    "an expression is missing",  # the reader says before that the value is empty
    "nested too deeply, or not text",  # where Python gives up depends on its version
)


def cases() -> Iterator[tuple[str, str, str]]:
    """What is wrong, the marked text, and the message."""
    for file in sorted(TABLE.glob("*.txt")):
        for block in re.split(r"^== ", file.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, _, message = block.partition("\n>> ")
            name, _, text = head.partition("\n")
            text = re.sub(r"«(.+?)\*(\d+)»", lambda more: more[1] * int(more[2]), text)
            yield f"{file.stem}: {name}", text.replace("␇", "\a") + "\n", message.strip()


CASES = list(cases())


@pytest.fixture
def whole(small_text):
    """The marked text of a whole file."""

    def build(name: str, text: str) -> str:
        if name.startswith(("whole", "yaml")):
            return text
        return small_text(*re.split(r"^(?=§?\w+:)", text, flags=re.M)[1:])

    return build


@pytest.mark.parametrize(("name", "text", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_fault_is_told_at_its_line_and_column(name, text, message, whole, faults):
    marked = whole(name, text)
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = faults(marked.replace("§", ""))
    assert [fault for fault in found if fault.startswith(f"{line}:{column}: {message}")], found


def test_no_two_cases_are_called_the_same():
    names = [name for name, *_ in CASES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_faulty_call_of_every_function_is_in_the_table(function):
    assert [name for name, text, _ in CASES if f"§{function}(" in text]


@pytest.mark.parametrize("words", sorted(set(REFUSED.values())))
def test_everything_of_python_that_is_refused_is_in_the_table(words):
    assert [name for name, _, message in CASES if message.startswith(f"{words} is not part of")]


def test_every_fault_that_the_code_can_tell_is_in_the_table(whole, kinds):
    ran: set[tuple[str, int]] = set()

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(str(CODE)):
            return None
        ran.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    for name, text, _ in CASES:
        marked = whole(name, text)
        sys.settrace(trace)
        try:
            load(marked.replace("§", ""), "f.yaml", kinds)
        except FileFaults:
            pass
        finally:
            sys.settrace(before)
    untold = [
        f"{Path(file).relative_to(CODE)}:{lines.start}"
        for file, lines in sites()
        if ran.isdisjoint((file, line) for line in lines)
    ]
    assert untold == []


def sites() -> Iterator[tuple[str, range]]:
    """The lines of each call that notes a fault, and of each reason that becomes one."""
    for path in sorted(CODE.rglob("*.py")):
        if path.name == "mapping.py":  # there it is a fault that others found
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if told(node) and not any(text in ast.unparse(node) for text in NOT_OF_A_FILE):
                yield str(path), range(node.lineno, (node.end_lineno or node.lineno) + 1)


def told(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=receiver, attr="add")):
            return ast.unparse(receiver).endswith("faults")
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("refuse", "_refuse", "_refuse_at", "refuse_unknown", "_stop")
        case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[_, *_])):
            return True
    return False


def test_all_faults_are_told_at_once_in_the_order_of_the_file(faults):
    found = faults(
        "version: 2\n"
        "name: staff\n"
        "source: { type: table, colums: {} }\n"
        "vars: { x: mail | lowr }\n"
        "key: id |\n"
        "active: { otherwise: { then: maybe, reason: r } }\n"
        "user: { userName: mail | uper, name: { givenName: first }, emails: mail }\n"
        "limits: { absent: 101% }\n"
        "exernal_id: id\n"
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "1", "3", "3", "4", "5", "6", "7", "7", "7", "8", "9"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "  password: hunter2",
        "  pasword: hunter2",  # misspelled, so that it is no setting
        "  bind_pwd: hunter2",
        "  Passwort: 'hunter2'",
        "  password: hunter2: too",  # no YAML
        "  password: @hunter2",
        "  password: &hunter2 x",
        "  password: ${hunter2}",
        "  password: ${env:hunter2 hunter3}",
        "  password: ${env:A}\n  password: hunter2",
        "  host: ldap://reader:hunter2@host",
        "  { password: hunter2 }: x",
    ],
)
def test_a_secret_stands_in_no_fault(line, small_text, kinds):
    with pytest.raises(FileFaults) as raised:
        load(small_text(f"source:\n  type: table\n  path: x\n{line}"), "f.yaml", kinds)
    assert "hunter2" not in repr(raised.value.faults)


def test_a_reference_to_a_secret_may_be_shown_with_its_faults(small_text, kinds):
    line = "  user_pw: ${env:STAFF}"
    with pytest.raises(FileFaults) as raised:
        load(small_text(f"source:\n  type: table\n{line}\n"), "f.yaml", kinds)
    assert line in [fault.source_line for fault in raised.value.faults]


def test_an_empty_table_lacks_everything_that_is_needed(faults):
    assert [fault.split(" ")[1] for fault in faults("{}")] == [
        "active", "key", "name", "source", "user", "version"
    ]  # fmt: skip
