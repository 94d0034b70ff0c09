"""How often one address may fail: a token bucket an address, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic


class Limiter:
    """Counts failures by address; ``burst`` at once, then one every ``seconds``.

    At most ``addresses`` are remembered; the one that failed longest ago is forgotten first.
    """

    def __init__(
        self,
        burst: int = 10,
        seconds: float = 6.0,
        addresses: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._window = burst * seconds
        self._seconds = seconds
        self._addresses = addresses
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def fail(self, address: str) -> float:
        """Note one failure; the seconds to wait where that was one too many, else 0."""
        now = self._clock()
        # A full bucket is a moment in the past; each failure moves it by the time it costs.
        until = max(self._until.pop(address, now), now) + self._seconds
        wait = until - now - self._window
        self._until[address] = until if wait <= 0 else until - self._seconds
        if len(self._until) > self._addresses:
            self._until.popitem(last=False)
        return max(0.0, wait)
