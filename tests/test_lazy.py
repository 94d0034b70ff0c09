"""Values by name that are made when they are asked for."""

from __future__ import annotations

import pytest

from bridge.lazy import Lazy


def test_a_value_is_made_once_and_not_before_it_is_asked_for() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    values = Lazy(("b", "a"), make)
    assert (list(values), len(values), made) == (["b", "a"], 2, [])
    assert (values["a"], values["a"], values.get("b")) == ("A", "A", "B")
    assert made == ["a", "b"]


def test_what_is_not_among_the_names_is_never_made() -> None:
    values = Lazy(("a",), str.upper)
    assert "c" not in values
    with pytest.raises(KeyError):
        values["c"]
