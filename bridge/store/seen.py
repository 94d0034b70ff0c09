"""What a whole read has come by."""

from __future__ import annotations

from collections.abc import Collection


class Seen:
    """Which records a whole read has come by, a byte for each row of the table."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def mark(self, ids: Collection[int]) -> None:
        """Note that these rows were read."""
        seen = self._bytes
        highest = max(ids, default=-1)
        if highest >= len(seen):
            seen.extend(bytes(highest + 1 - len(seen) + 65_536))
        for row in ids:
            seen[row] = 1

    def __contains__(self, row: int) -> bool:
        return row < len(self._bytes) and self._bytes[row] == 1
