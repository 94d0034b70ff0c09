"""What somebody has no more: attributes, and parts of names and of extensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model import Link, Resource


def emptied(before: Mapping[str, Any], after: Resource) -> set[tuple[str, ...]]:
    """What ``after`` has no more: attributes, and parts of names and of extensions."""
    missing: set[tuple[str, ...]] = set()
    for name, value in before.items():
        now = after.attributes.get(name)
        if isinstance(value, dict):
            parts = now if isinstance(now, dict) else {}
            missing.update((name, part) for part in value.keys() - parts.keys())
        elif now is None or isinstance(now, dict):
            missing.add((name,))
    if missing:
        missing.difference_update(_place(link) for link in after.links)
    return missing


def restored(
    attributes: dict[str, Any], before: Mapping[str, Any], path: tuple[str, ...]
) -> dict[str, Any]:
    """``attributes`` with what stood at ``path`` before."""
    if len(path) == 1:
        return {**attributes, path[0]: before[path[0]]}
    inner = {**attributes.get(path[0], {}), path[1]: before[path[0]][path[1]]}
    return {**attributes, path[0]: inner}


def _place(link: Link) -> tuple[str, ...]:
    """Which attribute, or part of an extension, a link will stand in."""
    return link.path[:2] if link.path[0].startswith("urn:") else link.path[:1]
