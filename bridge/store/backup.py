"""A copy of everything in the store in one file, and a store made of such a copy again.

The file is a SQLite store, whatever the store itself is: it can be looked into, and restored into
either kind. Who leads and what commands ask for is of the moment and is not copied.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Table, delete, func, insert, select, update
from sqlmodel import SQLModel

from bridge.errors import StorageError, UsageError
from bridge.store import erasures, relinks
from bridge.store.database import Store
from bridge.store.statements import chunks
from bridge.store.tables import (
    ErasureRow,
    HeartbeatRow,
    LeaseRow,
    PublicationRow,
    RelinkRow,
    RequestRow,
    ServingRow,
    SourceRow,
    UserRow,
    table,
)

Progress = Callable[[str, int], None]

_OF_THE_MOMENT = {table(row).name for row in (LeaseRow, HeartbeatRow, RequestRow)}
_erasures = table(ErasureRow)
_publications = table(PublicationRow)
_relinks = table(RelinkRow)
_sources = table(SourceRow)
_users = table(UserRow)
_CHUNK = 1000


def save(store: Store, file: Path, progress: Progress) -> int:
    """Copy one moment of the store into a new file, check the copy, and count the people in it.

    Others go on reading and writing meanwhile. The file appears under its name when it is whole.
    Raises `UsageError` where there is such a file or no folder for it, and `StorageError`.
    """
    if file.exists():
        raise UsageError(f"{file} is there already: name another file, or move it away")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}: make it, or name another one")
    part = file.with_name(f".{file.name}.part")
    _remove(part)
    try:
        copy = _opened(part)
        try:
            with store.read() as source, copy.write() as target:
                counts = _copy(source, target, progress)
        finally:
            copy.close()
        _check(part, counts)
        part.rename(file)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        _remove(part)
    return counts[_users.name]


def load(store: Store, file: Path, now: datetime, progress: Progress, replace: bool) -> int:
    """Replace everything in the store by a backup, and count the people in it.

    All of it becomes true at once. Nothing of it is served before every source was read whole and
    decided on: who left meanwhile would be active again. Raises `UsageError` where the file is no
    backup, or the store has people and ``replace`` is not said, and `StorageError`.
    """
    with tempfile.TemporaryDirectory(prefix="bridge-restore-") as folder:
        # A copy, which is brought up to date if an older bridge wrote it.
        copied = Path(folder) / "backup.db"
        try:
            shutil.copyfile(file, copied)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None
        if not _is_backup(copied):
            raise UsageError(f"{file} is no backup of the bridge, or is damaged")
        backup = _opened(copied)
        try:
            with backup.read() as source, store.write() as target:
                if not replace and target.execute(select(_users.c.position).limit(1)).first():
                    raise UsageError(
                        "the store has people already: --replace puts the backup in their place"
                    )
                newest, words = _newest(target), list(_words(target))
                counts = _copy(source, target, progress)
                target.execute(delete(table(RequestRow)))  # they were about what is no more
                _hold_back(target, newest, now)
                _say_again(target, words)
        finally:
            backup.close()
    return counts[_users.name]


def _hold_back(c: Connection, newest: int, now: datetime) -> None:
    """Let nothing be served or decided before every source was read whole."""
    c.execute(update(table(ServingRow)).values(restored=True))
    c.execute(update(_sources).values(words="", cookie=None))
    if _newest(c) < newest:  # what Okta has seen is older than whatever comes next, and than this
        c.execute(insert(_publications).values(number=newest + 1, at=now, run_id=0))


class _Word(NamedTuple):
    """What somebody said of a person for good: how to say it again, to which source, and when."""

    say: Callable[..., None]
    source: str
    said: tuple[str, ...]
    at: datetime


def _words(c: Connection) -> Iterator[_Word]:
    """The words that outlive a restore."""
    for each in (_erasures, _relinks):
        named = select(_sources.c.name, each).join(_sources, _sources.c.id == each.c.source_id)
        for row in c.execute(named):
            if each is _erasures:
                yield _Word(erasures.ask, row.name, (row.person_key, row.actor), row.at)
            else:
                yield _Word(relinks.set, row.name, (row.old_key, row.new_key, row.actor), row.at)


def _say_again(c: Connection, words: Iterable[_Word]) -> None:
    ids = {row.name: row.id for row in c.execute(select(_sources.c.name, _sources.c.id))}
    for word in words:
        if word.source in ids:
            word.say(c, ids[word.source], *word.said, word.at)


def _copy(source: Connection, target: Connection, progress: Progress) -> dict[str, int]:
    """Every row of every table; gives how many there are of each."""
    counts: dict[str, int] = {}
    for each in _tables():
        target.execute(delete(each))
        counts[each.name] = 0
        for rows in _rows(source, each):
            target.execute(insert(each), rows)
            counts[each.name] += len(rows)
            progress(f"copy {each.name}", counts[each.name])
        number = each.autoincrement_column
        if target.dialect.name == "postgresql" and number is not None:
            # Numbers that rows bring along are not known to the sequence, if there is one.
            sequence = func.pg_get_serial_sequence(each.name, number.name)
            next_ = select(func.coalesce(func.max(number), 0) + 1).scalar_subquery()
            target.execute(select(func.setval(sequence, next_, False)))
    return counts


def _tables() -> Iterator[Table]:
    for each in SQLModel.metadata.sorted_tables:
        if each.name not in _OF_THE_MOMENT:
            yield each


def _rows(source: Connection, each: Table) -> Iterator[list[dict[str, object]]]:
    found = source.execute(select(each), execution_options={"yield_per": _CHUNK})
    for chunk in chunks(found.mappings(), _CHUNK):
        yield [dict(row) for row in chunk]


def _newest(c: Connection) -> int:
    """The number of the latest publication."""
    highest = select(func.coalesce(func.max(_publications.c.number), 0))
    return int(c.execute(highest).scalar_one())


def _check(file: Path, counts: dict[str, int]) -> None:
    """Read a copy that was just written from its file; raises `StorageError`."""
    connection = sqlite3.connect(file)
    try:
        good = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",) and all(
            connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (count,)
            for name, count in counts.items()
        )
    finally:
        connection.close()
    if not good:
        raise StorageError("the backup is not what was written: is the disk sound?")


def _is_backup(file: Path) -> bool:
    connection = sqlite3.connect(file)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",) and bool(
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
        )
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _opened(file: Path) -> Store:
    return Store.open(str(URL.create("sqlite", database=str(file))))


def _remove(part: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(f"{part}{suffix}")
