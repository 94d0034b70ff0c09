"""The folder of mapping files: which sources there are, and what is wrong with their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bridge import mapping, sources
from bridge.errors import Fault, FileFaults, UsageError
from bridge.mapping import Mapping
from bridge.store.tables import SourceRow

_ENDINGS = (".yaml", ".yml")


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

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for file in self.files for fault in file.faults)

    def at(self, path: str) -> MappingFile | None:
        """The file at a path, readable or not."""
        return next((file for file in self.files if str(file.path) == path), None)


def load(folder: Path, known: Iterable[SourceRow] = ()) -> Catalog:
    """Read every ``*.yaml`` and ``*.yml`` of a folder; a faulty file keeps no other from loading.

    Two files with one source name are both faulty: nobody could tell which one is meant. So is a
    file in which a live source of ``known`` was given another name.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder: put the mapping files there, or set BRIDGE_MAPPINGS"
        )
    paths = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS and path.is_file())
    files = _without_doubles([load_file(path) for path in paths])
    return Catalog(folder, _without_new_names(files, known))


def load_file(path: Path) -> MappingFile:
    """Read one mapping file. What is wrong with it, reading it included, is among its faults."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        return MappingFile(
            path, faults=(Fault(str(path), 1, 1, f"cannot be read: {error.strerror}"),)
        )
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8"
        return MappingFile(
            path, faults=(Fault(str(path), 1, 1, f"byte {error.start} is not UTF-8", hint),)
        )
    try:
        return MappingFile(path, text, compile(text, str(path)))
    except FileFaults as error:
        return MappingFile(path, text, faults=error.faults)


@lru_cache(maxsize=64)
def compile(text: str, file: str) -> Mapping:
    """The compiled mapping of a text; raises `FileFaults`."""
    return mapping.load(text, file, sources.settings_models())


def _without_doubles(files: list[MappingFile]) -> tuple[MappingFile, ...]:
    first: dict[str, Path] = {}
    for file in files:
        if file.name:
            first.setdefault(file.name, file.path)
    checked = []
    for file in files:
        if file.name and first[file.name] != file.path:
            fault = Fault(
                str(file.path),
                1,
                1,
                f"the name {file.name!r} is that of {first[file.name]} already",
                "give each source its own name",
            )
            file = MappingFile(file.path, file.text, None, (fault,))
        checked.append(file)
    return tuple(checked)


def _without_new_names(
    files: tuple[MappingFile, ...], known: Iterable[SourceRow]
) -> tuple[MappingFile, ...]:
    names = {file.name for file in files}
    was = {row.file: row.name for row in known if row.mapping_text and row.name not in names}
    return tuple(
        replace(file, mapping=None, faults=(_renamed(file, was[str(file.path)]),))
        if file.name and str(file.path) in was
        else file
        for file in files
    )


def _renamed(file: MappingFile, was: str) -> Fault:
    lines = file.text.splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.startswith("name:")), 1)
    return Fault(
        str(file.path),
        line,
        1,
        f"the name of the live source {was!r} cannot be edited: every SCIM id would change",
        "put the old name back, or put the new source into a file of its own",
        lines[line - 1],
    )
