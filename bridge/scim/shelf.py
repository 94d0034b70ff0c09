"""Answers laid aside on disk, where the system keeps in memory what it has memory for."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import structlog

_MOST = 2_000_000_000
"""Bytes of the file: the pages of more than a million people."""
_SPARE = 2_000_000_000
"""Bytes of the disk that are left to others, the store above all."""
_log = structlog.get_logger("bridge.scim")


class _Place(NamedTuple):
    at: int
    length: int


class Shelf:
    """Bytes by key, in a file that has no name and ends with the process.

    It is written round and round, so what was laid there first is forgotten first. Where there is
    no room for it, everything is forgotten: that makes nobody's answer wrong.
    """

    def __init__(self, folder: Path, most: int = _MOST, spare: int = _SPARE) -> None:
        self._most = most
        self._spare = spare
        self._next = self._size = 0
        self._places: OrderedDict[bytes, _Place] = OrderedDict()
        self._file: FileIO | None = None
        try:
            # It stays open as long as the shelf does: `close` gives it back.
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        except OSError as error:
            _log.warning("no answers are kept", folder=str(folder), reason=error.strerror)

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: bytes) -> bytes | None:
        """The bytes last laid under a key, if they are there still."""
        place = self._places.get(key)
        if place is None or self._file is None:
            return None
        try:
            found = os.pread(self._file.fileno(), place.length, place.at)
        except OSError:
            return None
        return found if len(found) == place.length else None

    def put(self, key: bytes, body: bytes) -> list[bytes]:
        """Lay bytes under a key; the keys that were forgotten for it."""
        self._places.pop(key, None)
        forgotten = self._make_room(len(body))
        place = _Place(self._next, len(body))
        if self._written(place, body):
            self._places[key] = place
            self._next += len(body)
            self._size = max(self._size, self._next)
        else:
            forgotten.append(key)
        return forgotten

    def close(self) -> None:
        """Give the file back; whatever was kept is gone."""
        self._places.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _make_room(self, length: int) -> list[bytes]:
        """Forget what the next bytes will lie over, the keys in the order of their places."""
        forgotten = []
        if self._next + length > self._most:
            while self._places and next(iter(self._places.values())).at >= self._next:
                forgotten.append(self._places.popitem(last=False)[0])
            self._next = 0
        end = self._next + length
        while self._places and self._next <= next(iter(self._places.values())).at < end:
            forgotten.append(self._places.popitem(last=False)[0])
        return forgotten

    def _written(self, place: _Place, body: bytes) -> bool:
        if self._file is None or place.length > self._most:
            return False
        handle = self._file.fileno()
        try:
            if place.at + place.length > self._size:
                disk = os.fstatvfs(handle)
                if disk.f_bavail * disk.f_frsize < self._spare:
                    return False
            return os.pwrite(handle, body, place.at) == place.length
        except OSError:
            return False
