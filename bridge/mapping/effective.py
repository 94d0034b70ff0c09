"""The effective file: a mapping file together with the preset that it extends.

What went live must not change because the bridge was upgraded and ships another preset. So the
text of a mapping that extends one holds that preset, behind a line that only the bridge writes:
such a text means the same for ever, and a file on disk whose preset has changed is an edit.
"""

from __future__ import annotations

import re

from bridge.mapping import presets
from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.merge import merged
from bridge.mapping.yaml_text import Scalar, Table, parse

_BEHIND = re.compile(r"^--- # the preset ([a-z0-9-]+), as it was when this text was read\n", re.M)


def own_text(text: str) -> str:
    """The part of a mapping's text that stands in the admin's file."""
    return _parts(text)[0]


def read_effective(text: str, faults: Faults) -> tuple[Table, str] | None:
    """The tree of a file with what it extends, and the text that means the same for ever.

    None where there is no such tree; faults are noted.
    """
    own, preset = _parts(text)
    tree = parse(own, faults)
    if tree is None:
        return None
    if not isinstance(tree, Table):
        faults.add(tree.place, "a mapping file is a table of keys and values")
        return None
    if "extends" not in tree.keys:
        # Behind a file that extends nothing it is a second document like any other.
        return (tree, own) if preset is None or parse(text, faults) else None
    node = tree.values["extends"]
    name = node.text if isinstance(node, Scalar) else ""
    if preset is None:
        if name not in presets.names():
            hint = did_you_mean(name, presets.names()) or f"one of {', '.join(presets.names())}"
            faults.add(node.place, f"there is no preset {name!r}", hint)
            return None
        preset = presets.text(name)
    faults.pull_in(preset, node.place)
    below = parse(preset, faults, name)
    if not isinstance(below, Table):
        return None
    end = "" if own.endswith("\n") else "\n"
    mark = f"--- # the preset {name}, as it was when this text was read\n"
    return merged(tree, below, faults), f"{own}{end}{mark}{preset}"


def _parts(text: str) -> tuple[str, str | None]:
    """The file's own text and the preset's, where that is part of it."""
    mark = _BEHIND.search(text)
    return (text, None) if mark is None else (text[: mark.start()], text[mark.end() :])
