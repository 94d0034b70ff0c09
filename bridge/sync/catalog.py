"""The folder of mapping files: which sources there are, and what is wrong with their files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bridge import mapping, sources
from bridge.errors import Fault, FileFaults, UsageError
from bridge.mapping import Mapping
from bridge.mapping.schema import clash
from bridge.mapping.yaml_text import MAX_BYTES
from bridge.store.tables import SourceRow

_ENDINGS = (".yaml", ".yml")
_YOUNG = 0.5
"""Within so many seconds after a change somebody may still be writing."""
_PAUSE = 0.02
_LOOKS = 50


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One file: its mapping, or its faults. ``name`` is the source's, empty where unreadable."""

    path: Path
    text: str = ""
    mapping: Mapping | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def name(self) -> str:
        return self.mapping.name if self.mapping else ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every mapping file of a folder, in the order of their names."""

    folder: Path
    files: tuple[MappingFile, ...]

    def __iter__(self) -> Iterator[MappingFile]:
        return iter(self.files)

    def find(self, name: str) -> MappingFile | None:
        """The file of the source called ``name``, if a readable one is there."""
        return next((file for file in self.files if file.name == name), None)

    def require(self, name: str) -> Mapping:
        """The mapping of the source called ``name``.

        Raises `UsageError` where there is no such source, and `FileFaults` where that cannot be
        told, since a file is faulty.
        """
        found = self.find(name)
        if found is not None and found.mapping is not None:
            return found.mapping
        if self.faults:
            raise FileFaults(self.faults)
        known = ", ".join(file.name for file in self.files) or "none"
        raise UsageError(f"there is no source {name!r}: there are {known}")

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for file in self.files for fault in file.faults)

    def are_edited(self, known: Iterable[SourceRow]) -> bool:
        """Whether a file of a source that is live says something else now."""
        texts = {file.name: file.mapping.text for file in self.files if file.mapping is not None}
        return any(
            row.mapping_text and texts.get(row.name, row.mapping_text) != row.mapping_text
            for row in known
        )

    def at(self, path: str) -> MappingFile | None:
        """The file at a path, readable or not."""
        return next((file for file in self.files if str(file.path) == path), None)


def load(folder: Path, known: Iterable[SourceRow] = (), tests: bool = True) -> Catalog:
    """Read every ``*.yaml`` and ``*.yml`` of a folder; a faulty file keeps no other from loading.

    Two files with one source name are both faulty: nobody could tell which one is meant. So is a
    file that gives an attribute of a custom schema another type than one before it, and a file in
    which a live source of ``known`` was given another name; with ``tests`` a file in which a test
    fails as well, unless it is live already. Where something is just being
    written or replaced, the end of that is waited for, a second at most.
    """
    try:
        contents = _settled(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{folder} is not a folder: put the mapping files there, or set BRIDGE_MAPPINGS"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read ({error.strerror}): check its owner and permissions"
        ) from None
    files = _without_doubles([_mapping_file(path, contents[path]) for path in sorted(contents)])
    known = list(known)
    if tests:
        live = {row.name: row.mapping_text for row in known}
        files = tuple(file if live.get(file.name) == file.text else tested(file) for file in files)
    files = _without_clashes(files, {row.name for row in known if row.mapping_text})
    return Catalog(folder, _without_new_names(files, known))


def load_file(path: Path) -> MappingFile:
    """Read one mapping file. What is wrong with it, reading it included, is among its faults."""
    return _mapping_file(path, _content(path))


def tested(file: MappingFile) -> MappingFile:
    """``file``, faulty where a test in it fails."""
    failing = _failing(file.text, str(file.path)) if file.mapping else ()
    return replace(file, mapping=None, faults=failing) if failing else file


def compile(text: str, file: str) -> Mapping:
    """The compiled mapping of a text; raises `FileFaults`."""
    compiled = _compiled(text, file)
    if isinstance(compiled, FileFaults):
        raise FileFaults(compiled.faults)
    return compiled


@lru_cache(maxsize=64)
def _compiled(text: str, file: str) -> Mapping | FileFaults:
    # What is wrong is kept as well: the daemon looks at every file once a second.
    try:
        return mapping.load(text, file, sources.settings_models())
    except FileFaults as error:
        return error


@lru_cache(maxsize=64)
def _failing(text: str, file: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            file,
            result.line,
            1,
            f"the test {result.name!r} fails",
            "bridge test tells how: mend the file, or the test",
        )
        for result in mapping.run_tests(compile(text, file))
        if not result.passed
    )


def _mapping_file(path: Path, content: bytes | str) -> MappingFile:
    """The file at ``path`` with this content, or with the reason why it has none."""
    if isinstance(content, str):
        return MappingFile(path, faults=(Fault(str(path), 1, 1, f"cannot be read: {content}"),))
    if len(content) > MAX_BYTES:
        return MappingFile(path, faults=(Fault(str(path), 1, 1, "the file is larger than 1 MB"),))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        lines = content[: error.start].decode("utf-8").split("\n")
        place = len(lines), len(lines[-1]) + 1
        fault = Fault(str(path), *place, "a byte that is not UTF-8", "save the file as UTF-8")
        return MappingFile(path, faults=(fault,))
    try:
        return MappingFile(path, text, compile(text, str(path)))
    except FileFaults as error:
        return MappingFile(path, text, faults=error.faults)


def _settled(folder: Path) -> dict[Path, bytes | str]:
    """What every mapping file of a folder holds, as soon as nobody seems to be writing."""
    contents = _contents(folder)
    for _ in range(_LOOKS):
        if not _is_young(folder, contents):
            break
        time.sleep(_PAUSE)
        before, contents = contents, _contents(folder)
        if contents == before:
            break
    return contents


def _contents(folder: Path) -> dict[Path, bytes | str]:
    paths = [path for path in folder.iterdir() if path.suffix in _ENDINGS and path.is_file()]
    return {path: _content(path) for path in paths}


def _content(path: Path) -> bytes | str:
    """The bytes of a file, none after the first that is too many; or why it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return error.strerror or type(error).__name__


def _is_young(folder: Path, paths: Iterable[Path]) -> bool:
    now = time.time()
    for path in (folder, *paths):
        try:
            if 0 <= now - path.stat().st_mtime < _YOUNG:
                return True
        except OSError:  # it was there a moment ago
            return True
    return False


def _without_doubles(files: list[MappingFile]) -> tuple[MappingFile, ...]:
    first: dict[str, Path] = {}
    for file in files:
        if file.name:
            first.setdefault(file.name, file.path)
    checked = []
    for file in files:
        if file.name and first[file.name] != file.path:
            assert file.mapping is not None
            fault = file.mapping.fault(
                "name",
                f"the name {file.name!r} is that of {first[file.name]} already",
                "give each source its own name",
            )
            file = MappingFile(file.path, file.text, None, (fault,))
        checked.append(file)
    return tuple(checked)


def _without_clashes(files: tuple[MappingFile, ...], live: Set[str]) -> tuple[MappingFile, ...]:
    """The files of which none gives an attribute of a schema another type than one before it, or
    than that of a ``live`` source."""
    good: list[MappingFile] = []
    checked = []
    for file in sorted(files, key=lambda file: file.name not in live):
        for other in good if file.mapping else ():
            assert file.mapping is not None
            assert other.mapping is not None
            if found := clash(file.mapping.schemas, other.mapping.schemas):
                name, here, there = found
                fault = file.mapping.fault(
                    "custom",
                    f"{name} is of type {here} here and of type {there} in {other.path}",
                    "an attribute of a schema has one type, whichever file it comes from",
                )
                file = MappingFile(file.path, file.text, None, (fault,))
                break
        if file.mapping:
            good.append(file)
        checked.append(file)
    return tuple(sorted(checked, key=lambda file: file.path))


def _without_new_names(
    files: tuple[MappingFile, ...], known: Iterable[SourceRow]
) -> tuple[MappingFile, ...]:
    names = {file.name for file in files}
    was = {row.file: row.name for row in known if row.mapping_text and row.name not in names}
    return tuple(
        replace(file, mapping=None, faults=(_renamed(file.mapping, was[str(file.path)]),))
        if file.mapping and str(file.path) in was
        else file
        for file in files
    )


def key_edited(file: Mapping) -> Fault:
    """The fault of a file in which the key of a live source was given another expression."""
    return file.fault(
        "key",
        "the key of a live source cannot be edited: every SCIM id would change",
        "put the old key back, or give the source a new name",
    )


def _renamed(file: Mapping, was: str) -> Fault:
    return file.fault(
        "name",
        f"the name of the live source {was!r} cannot be edited: every SCIM id would change",
        "put the old name back, or put the new source into a file of its own",
    )
