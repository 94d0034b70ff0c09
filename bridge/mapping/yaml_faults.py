"""What is wrong with a text that is no YAML, in the words of those who write mapping files."""

from __future__ import annotations

import re
from typing import Any

import yaml

_BELOW = "write the whole value on the next line, below `>-`"
_COLUMN = "keys of one table begin in one column"
_KEY = re.compile(r":(?:\s|$)")
_CLOSES = {"']'": "list", "'}'": "table"}


def in_words(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str, str]:
    """The line and column of what libyaml stumbled over, counted from 1, what that is, and what
    to do. It is told where it began, where libyaml only notices what follows from it."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, error.problem or "not YAML", ""
    line, column, message, hint = _Text(text).told(error, mark)
    return line + 1, column + 1, message, hint


class _Text:
    def __init__(self, text: str) -> None:
        self._lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)

    def told(self, error: yaml.MarkedYAMLError, mark: Any) -> tuple[int, int, str, str]:
        problem, began = str(error.problem), error.context_mark or mark
        at = self._lines[mark.line] if mark.line < len(self._lines) else ""
        before, after = at[: mark.column], at[mark.column :]
        here = mark.line, mark.column
        if "tab character" in problem or after.startswith("\t"):
            return *here, "a tab where blanks belong", "indent with blanks alone"
        if "unexpected end" in problem and "quoted" in str(error.context):
            return began.line, began.column, "this quote is never closed", ""
        if "could not find expected ':'" in problem:
            return began.line, began.column, "a key without its colon", "write `key: value`"
        if "unknown escape" in problem:
            message = "a backslash that means nothing between double quotes"
            return *here, message, "between single quotes it is itself"
        if "mapping values" in problem:
            return self._second_colon(mark, before)
        if "block sequence entries" in problem:
            return *here, "a list cannot begin behind its key", "begin it on the next line"
        if missing := re.search(r"expected ',' or ('.')", problem):
            what = f"the {_CLOSES[missing[1]]} that begins in line {began.line + 1}"
            return *here, f"{what} is not closed before this", f"`,` or `{missing[1][1]}`"
        if "start any token" in problem and before.rstrip().endswith((":", "-", "[", ",")):
            return *here, f"no value begins with `{after[:1]}`", _BELOW
        if "comment or line break" in problem or (
            before.strip(" -") and re.search("expected key|expected '-'|start any token", problem)
        ):
            return *here, *_ended(before, after)
        if "expected key" in problem and not after.startswith(("]", "}")):
            return *here, "indented in another way than the lines above", _COLUMN
        if "document start" in problem:
            return *here, "further left than the first line", _COLUMN
        if "expected '-'" in problem:
            message = f"no element of the list that begins in line {began.line + 1}"
            return *here, message, "each begins with `- `, in one column"
        hint = f"{error.context} that begins in line {began.line + 1}" if error.context else ""
        return *here, problem, hint

    def _second_colon(self, mark: Any, before: str) -> tuple[int, int, str, str]:
        """A colon where no key can be; libyaml also finds it behind a line that has none."""
        if _KEY.search(before):
            return mark.line, mark.column, "a second `: ` on one line", _BELOW
        above = mark.line - 1
        while above > 0 and not self._lines[above].partition("#")[0].strip():
            above -= 1
        line = self._lines[max(0, above)]
        if above >= 0 and _indent(line) >= _indent(before) and not _KEY.search(line):
            return above, _indent(line), "a key without its colon", "write `key: value`"
        return mark.line, _indent(before), "indented deeper than the line above allows", _COLUMN


def _ended(before: str, after: str) -> tuple[str, str]:
    if before.endswith("'") and after[:1].isalnum():
        return "this quote ended before this", "a ' between single quotes is written ''"
    return "the value ended before this", _BELOW


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
