"""In which words records were read: what the source was asked, and for what."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from bridge.mapping import Mapping
from bridge.model import Wanted


def words_of(mapping: Mapping) -> str:
    """Digest of what a source is asked with: records read under another one may be told apart
    only by being read again."""
    parts: list[Any] = [mapping.source_type, mapping.source]
    if (wanted := mapping.wanted) != Wanted():
        searches = [
            (each.search.base, each.search.filter, sorted(each.search.attributes), each.signature)
            for each in mapping.directory_groups
        ]
        parts += [sorted(wanted.attributes), searches]
    asked = json.dumps(parts, sort_keys=True, default=dict)
    return blake2b(asked.encode(), digest_size=16).hexdigest()
