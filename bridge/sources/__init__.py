"""What a source is, and which there are.

A source reads people where they are kept and yields them as entries, in its own words. It knows
nothing of mappings, the store or SCIM. One file here is one kind of source; the file's name is
its ``type`` in a mapping file (``-`` for ``_``).

The reader of a source (``sync/run.py``) stores each batch together with its cookie, and believes
that somebody is absent only after a batch whose verdict is complete and whole. So a source

- yields every entry it read, even from a read that then breaks off;
- ends a read it trusts with a batch that carries ``Verdict(complete=True)``;
- ends one it does not with a verdict that says why, or by raising `IncompleteRead`;
- may say of those who did not change that they are `present`, instead of yielding them: of all
  of them, in every kind that it reads, before any entry, and only when it knows that it is all;
- raises `SourceUnavailable` where nothing answered or the source refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bridge.lazy import Lazy
from bridge.model import Batch, Wanted

_DURATION = re.compile(r"(\d{1,6}) *(second|minute|hour)s?")


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError("is a time such as `5 seconds`, `2 minutes` or `1 hour`")
    return timedelta(**{found[2] + "s": int(found[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A setting written as `5 seconds`, `2 minutes` or `1 hour`."""


class SourceSettings(BaseModel):
    """What every source's section of the mapping file has; each kind adds its own keys.

    ``type`` is read before this model is chosen and is not among the fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    require: tuple[str, ...] = Field(
        (), description="Attributes without which an entry is an error, not a guess."
    )

    asked: ClassVar[bool] = False
    """Whether the source is asked for what a mapping wants, and not read whole in any case."""
    numbered: ClassVar[bool] = False
    """Whether records of one person are told apart by their order alone."""

    def attribute_names(self) -> frozenset[str] | None:
        """The attributes an entry may have, or None where the file's ``attributes`` lists them."""
        return None

    def own_names(self) -> frozenset[str]:
        """The names that every entry has, whether the file lists them or not: a directory's
        ``dn``, by which people and groups are then referred to."""
        return frozenset()

    def filter_fault(self, filter: str) -> str:
        """Why a search for groups cannot have this filter, said of it; empty where it can."""
        return ""


class Source(Protocol):
    """The one thing a source must be able to do."""

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        """Read what changed since ``cookie``, or everything where it is None.

        A cookie is one this source wrote itself. Raises `IncompleteRead` and `SourceUnavailable`.
        """
        ...


class SourceKind(Protocol):
    """A module of this folder: its settings, and how a source is made of them."""

    @property
    def Settings(self) -> type[SourceSettings]: ...  # noqa: N802

    def open(self, settings: SourceSettings, folder: Path, wanted: Wanted = ...) -> Source:
        """A source; relative paths in ``settings`` are taken from ``folder``, the mapping's own.

        ``wanted`` is what the mapping uses; a source that is read whole anyway ignores it.
        """
        ...


_KINDS: Mapping[str, SourceKind] = Lazy(
    ("active-directory", "csv", "ldap"),
    lambda name: import_module(f"{__name__}.{name.replace('-', '_')}"),
)
_MODELS = Lazy(tuple(_KINDS), lambda name: _KINDS[name].Settings)


def kinds() -> Mapping[str, SourceKind]:
    """Every kind of source, by its ``type`` in a mapping file."""
    return _KINDS


def settings_models() -> Mapping[str, type[SourceSettings]]:
    """The settings of every kind of source, by its ``type``: what a mapping file is checked by."""
    return _MODELS
