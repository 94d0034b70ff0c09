"""The folder of mapping files: written, replaced, swapped and damaged while it is looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import mapping
from bridge.errors import FileFaults, UsageError
from bridge.mapping.yaml_text import MAX_BYTES
from bridge.store.tables import SourceRow
from bridge.sync import catalog

SHORT = "version: 1\nname: hr\nextends: hr-csv\nsource: { path: x.csv }\n"
WHOLE = SHORT + "groups:\n  - key: department\n    displayName: department\n"
LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file, both as they have been for years."""
    write(tmp_path / "hr.yaml", SHORT)
    os.utime(tmp_path, (LONG_AGO, LONG_AGO))
    return tmp_path


def write(path: Path, text: str, when: int = LONG_AGO) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (when, when))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Does one thing after the other, each while the folder is waited for; gives the pauses."""

    def plan(*acts: Callable[[], object]) -> list[float]:
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) <= len(acts):
                acts[len(pauses) - 1]()

        monkeypatch.setattr(catalog.time, "sleep", sleep)
        return pauses

    return plan


def test_a_folder_that_nobody_touches_is_not_waited_for(
    folder: Path, meanwhile: Callable[..., list[float]]
) -> None:
    pauses = meanwhile()
    assert catalog.load(folder).find("hr") is not None
    assert pauses == []


@pytest.mark.parametrize("part", [0, 10, len(SHORT), len(WHOLE) - 20])
def test_a_file_that_is_being_written_is_taken_when_it_is_whole(
    folder: Path, meanwhile: Callable[..., list[float]], part: int
) -> None:
    """Also where its part is a good file by itself, which would take everybody's groups away."""
    path = folder / "hr.yaml"
    path.write_text(WHOLE[:part])
    meanwhile(lambda: path.write_text(WHOLE[: part + 10]), lambda: path.write_text(WHOLE))
    file = catalog.load(folder).find("hr")
    assert file is not None
    assert file.text == WHOLE


def test_a_file_that_is_being_replaced_is_never_gone(
    folder: Path, meanwhile: Callable[..., list[float]]
) -> None:
    """Some editors move the old file away before they write the new one."""
    path = folder / "hr.yaml"
    path.rename(folder / "hr.yaml~")
    meanwhile(lambda: path.write_text(WHOLE))
    assert [file.text for file in catalog.load(folder)] == [WHOLE]


def test_a_file_that_is_written_for_ever_is_waited_for_a_second(
    folder: Path, meanwhile: Callable[..., list[float]]
) -> None:
    path = folder / "hr.yaml"
    path.write_text(SHORT)

    def more() -> None:
        path.write_text(path.read_text() + "# more\n")

    pauses = meanwhile(*[more] * 1000)
    assert catalog.load(folder).find("hr") is not None
    assert sum(pauses) == pytest.approx(1)


def test_a_file_that_is_renamed_over_the_old_one_is_taken(folder: Path) -> None:
    write(folder / "new", WHOLE)
    os.replace(folder / "new", folder / "hr.yaml")
    assert [file.text for file in catalog.load(folder)] == [WHOLE]


def test_the_files_of_a_config_map_are_taken_when_its_link_is_swapped(tmp_path: Path) -> None:
    def version(name: str, text: str) -> None:
        (tmp_path / name).mkdir()
        write(tmp_path / name / "hr.yaml", text)
        (tmp_path / "..data_tmp").symlink_to(name)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")

    version("..2026_06_15", SHORT)
    (tmp_path / "hr.yaml").symlink_to("..data/hr.yaml")
    before = catalog.load(tmp_path)
    version("..2026_06_16", WHOLE)
    after = catalog.load(tmp_path)
    assert [file.text for file in before] == [SHORT]
    assert [file.text for file in after] == [WHOLE]
    assert [file.path for file in before] == [file.path for file in after]


def test_a_link_to_nowhere_is_no_file(folder: Path) -> None:
    (folder / "sap.yaml").symlink_to("..data/sap.yaml")
    assert [file.name for file in catalog.load(folder)] == ["hr"]


def test_of_a_huge_file_no_more_than_a_megabyte_is_read(folder: Path) -> None:
    with (folder / "big.yaml").open("wb") as file:
        file.truncate(1 << 40)
    faults = catalog.load(folder).faults
    assert [fault.message for fault in faults] == ["the file is larger than 1 MB"]
    assert catalog.load_file(folder / "big.yaml").faults == faults


def test_a_file_of_just_a_megabyte_is_read(folder: Path) -> None:
    write(folder / "hr.yaml", SHORT + "#" * (MAX_BYTES - len(SHORT) - 1) + "\n")
    assert catalog.load(folder).find("hr") is not None


def test_a_file_is_compiled_once_be_it_good_or_faulty(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "other.yaml", SHORT + "nonsense: 1\n")
    first = catalog.load(folder)
    monkeypatch.setattr(mapping, "load", lambda *_: pytest.fail("compiled again"))
    again = catalog.load(folder)
    assert again.faults == first.faults
    assert len(again.faults) == 1
    assert again.find("hr") is not None


def test_a_faulty_file_keeps_no_other_from_loading(folder: Path) -> None:
    write(folder / "broken.yaml", "a: [")
    loaded = catalog.load(folder)
    assert loaded.find("hr") is not None
    assert [Path(fault.file).name for fault in loaded.faults] == ["broken.yaml"]


def test_a_second_file_with_the_same_name_is_told_at_its_name(folder: Path) -> None:
    write(folder / "z.yaml", "# a comment\n" + SHORT)
    [fault] = catalog.load(folder).faults
    assert (Path(fault.file).name, fault.line, fault.source_line) == ("z.yaml", 3, "name: hr")
    assert "the name 'hr' is that of" in fault.message


def test_the_mapping_of_a_source_is_had_by_its_name(folder: Path) -> None:
    assert catalog.load(folder).require("hr").name == "hr"
    with pytest.raises(UsageError, match=r"there is no source 'sap': there are hr"):
        catalog.load(folder).require("sap")
    write(folder / "sap.yaml", "name: sap\n")
    with pytest.raises(FileFaults, match=r"sap.yaml:1:1: .* is missing"):
        catalog.load(folder).require("sap")


def test_a_key_that_a_preset_gives_is_told_where_the_preset_is_named(folder: Path) -> None:
    fault = catalog.key_edited(catalog.load(folder).require("hr"))
    assert (fault.line, fault.column, fault.source_line) == (3, 10, "extends: hr-csv")
    assert "in line 28 of the preset hr-csv, `key: person_id`: the key of a live" in fault.message


def with_schema(name: str, type_: str, attribute: str = "level") -> str:
    urn = "urn:ietf:params:scim:schemas:extension:x:2.0:User"
    return SHORT.replace("name: hr", f"name: {name}") + (
        f"custom:\n  urn: {urn}\n  attributes:\n    {attribute}: {{ type: {type_}, const: 5 }}\n"
    )


def test_an_attribute_that_two_files_give_two_types_is_a_fault_of_the_later(folder: Path) -> None:
    write(folder / "a.yaml", with_schema("a", "integer"))
    write(folder / "b.yaml", with_schema("b", "string", "Level"))
    write(folder / "c.yaml", with_schema("c", "integer"))
    (fault,) = catalog.load(folder).faults
    assert str(fault) == (
        f"{folder / 'b.yaml'}:5:1: urn:ietf:params:scim:schemas:extension:x:2.0:User:Level is of"
        f" type string here and of type integer in {folder / 'a.yaml'}"
        " (an attribute of a schema has one type, whichever file it comes from)"
    )


def test_other_attributes_of_one_schema_may_be_in_other_files(folder: Path) -> None:
    write(folder / "a.yaml", with_schema("a", "integer"))
    write(folder / "b.yaml", with_schema("b", "string", "grade"))
    assert catalog.load(folder).faults == ()


def test_of_two_files_whose_types_clash_the_live_one_goes_on(folder: Path) -> None:
    write(folder / "a.yaml", with_schema("a", "integer"))
    write(folder / "b.yaml", with_schema("b", "string"))
    live = SourceRow(name="b", file=str(folder / "b.yaml"), mapping_text="live")
    (fault,) = catalog.load(folder, [live]).faults
    assert Path(fault.file).name == "a.yaml"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            SHORT.encode() + "# Zoë, M\u00fcnchen\n".encode("latin-1"),
            "5:5: a byte that is not UTF-8 (save the file as UTF-8)",
        ),
        (("ä" * 5).encode() + b"\xff", "1:6: a byte that is not UTF-8 (save the file as UTF-8)"),
        (SHORT.encode("utf-16"), "1:1: a byte that is not UTF-8 (save the file as UTF-8)"),
        (b"", "1:1: the file is empty"),
        (b"\xef\xbb\xbf# nothing but a comment\r\n", "1:1: the file is empty"),
    ],
    ids=["Latin-1", "behind letters of two bytes", "UTF-16", "empty", "a comment"],
)
def test_what_is_no_text_of_a_file_is_told_at_its_place(
    folder: Path, content: bytes, fault: str
) -> None:
    (folder / "hr.yaml").write_bytes(content)
    (found,) = catalog.load(folder).faults
    assert str(found) == f"{folder / 'hr.yaml'}:{fault}"


@pytest.mark.parametrize("text", [SHORT.replace("\n", "\r\n"), f"\ufeff{SHORT}"])
def test_line_ends_of_windows_and_a_byte_order_mark_make_no_difference(
    folder: Path, text: str
) -> None:
    (folder / "hr.yaml").write_bytes(text.encode())
    assert catalog.load(folder).find("hr") is not None
    (folder / "hr.yaml").write_bytes(text.replace("version: 1", "versoin: 1").encode())
    fault, missing = catalog.load(folder).faults
    assert (fault.line, fault.column, fault.source_line) == (1, 1, "versoin: 1")
    assert missing.message == "version is missing in the file"


def test_a_folder_and_a_pipe_are_no_files(folder: Path) -> None:
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    assert [file.path.name for file in catalog.load(folder)] == ["hr.yaml"]
