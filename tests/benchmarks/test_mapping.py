"""The mapping that is measured gives what the one written by hand gives."""

from __future__ import annotations

from benchmarks.mapping import FILE, KEY, MANAGER, NOW, by_hand, people
from bridge.mapping import load
from bridge.sources import settings_models


def test_both_sides_of_the_comparison_come_to_the_same() -> None:
    mapping = load(FILE.read_text(encoding="utf-8"), FILE.name, settings_models())
    assert len(list(mapping.program.expressions)) == 30
    seen = set()
    for entry in people(200):
        mapped = mapping.person([entry], NOW)
        assert mapped.resource is not None, mapped.faults
        (link,) = mapped.resource.links
        ours = {**mapped.resource.attributes, KEY: mapping.key_of(entry), MANAGER: link.ref}
        assert ours == by_hand(entry, NOW)
        seen.add(mapped.reason)
    assert seen == {"disabled in AD", "AD account expired", "enabled in AD"}
