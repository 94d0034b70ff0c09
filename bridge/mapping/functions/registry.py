"""How a function says what it needs, so that calls of it are checked when the file is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Site:
    """What the file around an expression gives its functions."""

    zone: ZoneInfo
    tables: Mapping[str, Mapping[str, Any]]


TOLL = 32
"""What a character usually costs, in 1,024ths of a step."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """What a function's ``make`` may return: the call, and what a character costs it."""

    call: Callable[..., Any]
    toll: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function of expressions.

    ``make`` gets the site and the values of the ``fixed`` arguments (fixed text, so that they
    are worked out once, at load; ``ValueError`` says what is wrong with one) and returns what is
    called with the others, in their order. ``toll`` is what it costs a record for each character
    that it is given, in 1,024ths of a step; a list costs by its elements. ``returns`` is the type
    of what ``make`` returns, or of what that returns.
    """

    name: str
    make: Callable[..., Callable[..., Any]]
    least: int
    most: int
    fixed: tuple[int, ...] = ()
    sees: tuple[int, ...] = ()
    piped_last: bool = False
    doc: str = ""
    toll: int = TOLL
    returns: str = ""

    @property
    def takes(self) -> str:
        """How many arguments, in words."""
        many = f"{self.least}" if self.most == self.least else f"{self.least} to {self.most}"
        return f"{many} argument{'' if many == '1' else 's'}"


class Group(list[Function]):
    """The functions of one module, gathered by its decorators."""

    def plain(
        self, least: int = 1, most: int | None = None, *, sees: tuple[int, ...] = (),
        piped_last: bool = False, name: str = "", toll: int = TOLL,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
        """A function of its arguments alone; ``most`` is ``least`` unless given."""

        def add(call: Callable[..., Any]) -> Callable[..., Any]:
            self.append(
                Function(
                    name or call.__name__.strip("_"), lambda site: call, least, most or least, (),
                    sees, piped_last, call.__doc__ or "", toll, call.__annotations__["return"],
                )
            )  # fmt: skip
            return call

        return add

    def made(
        self, least: int = 1, most: int | None = None, *, fixed: tuple[int, ...] = (),
        sees: tuple[int, ...] = (), name: str = "", toll: int = TOLL,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
        """A function that is made at load, of the site and its fixed arguments."""

        def add(make: Callable[..., Any]) -> Callable[..., Any]:
            self.append(
                Function(
                    name or make.__name__.strip("_"), make, least, most or least, fixed, sees,
                    False, make.__doc__ or "", toll, make.__annotations__["return"],
                )
            )  # fmt: skip
            return make

        return add
