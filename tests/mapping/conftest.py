"""A small source, a small file, and expressions on their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field, SecretStr

from bridge.errors import FileFaults
from bridge.mapping import Mapping, load
from bridge.mapping.expression import compile_expression
from bridge.mapping.faults import Faults, Place
from bridge.mapping.frames import Frames
from bridge.mapping.functions.registry import Site
from bridge.mapping.moments import Clock
from bridge.mapping.scope import Expression, Scope
from bridge.mapping.yaml_text import Scalar
from bridge.model import Entry
from bridge.sources import SourceSettings, ldap

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DATA = Path(__file__).parent / "data"


class TableSettings(SourceSettings):
    """A source that is a table with named columns."""

    path: str
    columns: dict[str, str] = Field(default_factory=dict)
    password: SecretStr | None = None
    port: int = 1

    def attribute_names(self) -> frozenset[str] | None:
        return frozenset(self.columns) or None


KINDS = {"table": TableSettings, "csv": TableSettings, "ldap": ldap.Settings}

BASE = {
    "version": "version: 1\n",
    "name": "name: staff\n",
    "source": (
        "source:\n  type: table\n  path: staff.csv\n"
        "  columns: {id: ID, mail: Mail, first: First, last: Last, dept: Dept, ends: Ends,"
        " boss: Boss}\n"
    ),
    "lookups": "lookups: { departments: { '100': Engineering } }\n",
    "key": "key: id\n",
    "active": "active: { otherwise: { then: true, reason: employed } }\n",
    "user": (
        "user:\n  userName: mail\n  name: { givenName: first, familyName: last }\n"
        "  emails: [ { value: mail, type: work, primary: true } ]\n"
    ),
}


def file_text(*sections: str) -> str:
    """The small file with these sections in place of its own, or after them."""
    parts = dict(BASE)
    for section in sections:
        parts[re.sub(r"\W", "", section.partition(":")[0])] = section.rstrip("\n") + "\n"
    return "".join(parts.values())


def load_file(*sections: str) -> Mapping:
    return load(file_text(*sections), "staff.yaml", KINDS)


def faults_of(text: str) -> list[str]:
    """The faults of a file, without its name."""
    with pytest.raises(FileFaults) as raised:
        load(text, "f.yaml", KINDS)
    return [str(fault).removeprefix("f.yaml:") for fault in raised.value.faults]


def entry_of(**attributes: Any) -> Entry:
    base = {"id": "P1", "mail": "ana@example.com", "first": "Ana", "last": "Cruz", **attributes}
    digest = hashlib.md5(repr(sorted(base.items())).encode()).digest()
    return Entry("r1", {k: v for k, v in base.items() if v is not None}, digest)


def compiled(text: str, zone: str = "UTC", *attributes: str) -> tuple[Expression, Scope]:
    """An expression on its own, with the names that it may use."""
    names = {*attributes, "a", "b", "c", "items", "ends", "name"}
    tables = {"departments": {"100": "Engineering"}, "zones": {"Sydney": "Australia/Sydney"}}
    scope = Scope(Site(ZoneInfo(zone), tables), {name.casefold(): name for name in names})
    faults = Faults("e", text)
    expression = compile_expression(
        Scalar(text, text, Place(1, 1), "", text), scope, faults, links=True
    )
    if expression is None:
        raise faults.error()
    return expression, scope


def evaluated(
    text: str, now: datetime = NOW, zone: str = "UTC", **attributes: Any
) -> tuple[Any, datetime | None]:
    """What an expression gives for an entry, and until when."""
    expression, scope = compiled(text, zone, *attributes)
    spelled = scope.attributes or {}
    frames = Frames(
        scope.size, scope.site.zone, spelled, frozenset(spelled.values()),
        tuple((spelled[fold], place) for fold, place in scope.places.items()), (), (),
    )  # fmt: skip
    clock = Clock(now)
    frame = frames.frame(Entry("r", attributes, b""), clock)
    return expression.code(frame), clock.until


@pytest.fixture
def evaluate() -> Callable[..., Any]:
    """Works out one expression: ``evaluate("a | upper", a="x")``."""
    return lambda text, **given: evaluated(text, **given)[0]


@pytest.fixture
def example() -> Callable[[str], Any]:
    """An example of what an expression gives, where that is known before there is an entry."""
    return lambda text: compiled(text)[0].example


@pytest.fixture
def until() -> Callable[..., datetime | None]:
    """Until when the answer of one expression stands."""
    return lambda text, **given: evaluated(text, **given)[1]


@pytest.fixture
def small_file() -> Callable[..., Mapping]:
    """Loads the small file with some sections in place of its own."""
    return load_file


@pytest.fixture
def small_text() -> Callable[..., str]:
    return file_text


@pytest.fixture
def faults() -> Callable[[str], list[str]]:
    return faults_of


@pytest.fixture
def entry() -> Callable[..., Entry]:
    return entry_of


@pytest.fixture
def kinds() -> dict[str, type[TableSettings]]:
    return dict(KINDS)


@pytest.fixture
def data() -> Path:
    return DATA
