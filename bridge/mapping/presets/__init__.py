"""The presets that the bridge ships, each the common part of many mapping files.

A preset is a mapping file without `version` and `name`, and without what differs everywhere. A
file that says ``extends: NAME`` is read as if the preset's keys stood in it (`merge`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def names() -> tuple[str, ...]:
    """The names that ``extends`` may have."""
    found = files(__name__).iterdir()
    return tuple(sorted(file.name[:-5] for file in found if file.name.endswith(".yaml")))


@cache
def text(name: str) -> str:
    """The text of the preset called ``name``."""
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
