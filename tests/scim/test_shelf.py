"""The shelf gives back what was laid on it, or nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.scim.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with closing(Shelf(tmp_path, most=1000, spare=0)) as shelf:
        yield shelf


def test_what_is_given_back_is_what_was_laid_there_last(shelf: Shelf) -> None:
    dice = random.Random(11)
    laid: dict[bytes, bytes] = {}
    for _ in range(3000):
        key = b"k%d" % dice.randrange(12)
        laid[key] = dice.randbytes(dice.randrange(300))
        for forgotten in shelf.put(key, laid[key]):
            del laid[forgotten]
        assert {name: shelf.get(name) for name in laid} == laid
        assert len(shelf) == len(laid)


def test_the_oldest_is_forgotten_first(shelf: Shelf) -> None:
    for key in (b"a", b"b", b"c"):
        assert shelf.put(key, key * 300) == []
    assert shelf.put(b"d", b"d" * 300) == [b"a"]
    assert shelf.put(b"e", b"e" * 500) == [b"b", b"c"]
    assert shelf.get(b"a") is None
    assert shelf.get(b"d") == b"d" * 300


def test_what_is_longer_than_the_shelf_is_not_kept(shelf: Shelf) -> None:
    assert shelf.put(b"a", b"a" * 1001) == [b"a"]
    assert shelf.get(b"a") is None
    assert shelf.put(b"b", b"b" * 1000) == []
    assert shelf.get(b"b") == b"b" * 1000


def test_the_file_has_no_name_and_lies_where_it_was_told_to(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(b"a", b"secret" * 10)
    assert [*tmp_path.iterdir()] == []
    assert shelf._file is not None
    file = os.fstat(shelf._file.fileno())
    assert (file.st_dev, file.st_nlink) == (tmp_path.stat().st_dev, 0)


def test_the_last_room_of_a_disk_is_left_to_others(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    with closing(Shelf(tmp_path, spare=disk.f_blocks * disk.f_frsize)) as shelf:
        assert shelf.put(b"a", b"a") == [b"a"]
        assert shelf.get(b"a") is None


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    with closing(Shelf(tmp_path / "none")) as shelf:
        assert shelf.put(b"a", b"a") == [b"a"]
        assert shelf.get(b"a") is None


def test_after_the_end_there_is_nothing(shelf: Shelf) -> None:
    shelf.put(b"a", b"a")
    shelf.close()
    assert shelf.get(b"a") is None
    assert shelf.put(b"a", b"a") == [b"a"]
