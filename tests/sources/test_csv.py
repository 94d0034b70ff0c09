from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Verdict
from bridge.sources import Source, csv, csv_rows, kinds, settings_models
from tests.sources.contract import COMPLETE, PEOPLE, Person, Reading, SourceContract, World

SETTINGS: dict[str, Any] = {
    "path": "export-*.csv",
    "delimiter": ";",
    "columns": {"id": "Person ID", "name": "Name", "mail": "E-mail"},
    "require": ["id", "mail"],
}
HEADINGS = "Person ID;Name;E-mail\n"
TRAILER = {"trailer": {"starts_with": "TRAILER", "count_column": 2}}


class Folder(World):
    """A folder of exports, each older than the next by a second, all long still."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.time = 1_000_000_000

    def source(self, **settings: Any) -> Source:
        return csv.open(csv.Settings.model_validate({**SETTINGS, **settings}), self.path)

    def put(self, content: bytes | str, name: str = "export-1.csv") -> Path:
        file = self.path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.time += 1
        os.utime(file, (self.time, self.time))
        return file

    def hold(self, people: Sequence[Person]) -> None:
        self.put(text(people))

    def break_off(self, people: Sequence[Person]) -> None:
        self.put(text(people)[:-30])

    def take_away(self) -> None:
        (self.path / "export-1.csv").unlink()


def text(people: Sequence[Person]) -> str:
    return HEADINGS + "".join(f"{p['id']};{p['name']};{p['mail']}\n" for p in people)


@pytest.fixture
def world(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestContract(SourceContract):
    pass


# -- which file ------------------------------------------------------------------------------


def test_the_newest_file_is_read_and_the_name_decides_a_tie(world: Folder) -> None:
    world.put(text(PEOPLE[:1]), "export-9.csv")
    newest = world.put(text(PEOPLE[:2]), "export-1.csv")
    assert len(Reading(world.source()).read) == 2
    tie = world.path / "export-2.csv"
    tie.write_text(text(PEOPLE[:3]))
    os.utime(tie, ns=(newest.stat().st_mtime_ns,) * 2)
    assert len(Reading(world.source()).read) == 3


def test_a_newer_file_is_read_whole(world: Folder) -> None:
    world.put(text(PEOPLE[:5]), "export-1.csv")
    cookie = Reading(world.source()).cookie
    world.put(text(PEOPLE[:4]), "export-2.csv")
    reading = Reading(world.source(), cookie)
    assert (reading.attributes, reading.verdict) == (PEOPLE[:4], COMPLETE)


def test_other_settings_make_an_unchanged_file_new(world: Folder) -> None:
    world.hold(PEOPLE[:2])
    first = Reading(world.source())
    columns = {**SETTINGS["columns"], "name": "E-mail"}
    second = Reading(world.source(columns=columns), first.cookie)
    assert second.verdict == COMPLETE
    assert second.entries["P1"].fingerprint != first.entries["P1"].fingerprint


def test_a_folder_is_not_taken_for_a_file(world: Folder) -> None:
    world.hold(PEOPLE[:2])
    (world.path / "export-2.csv").mkdir()
    assert len(Reading(world.source()).read) == 2


def test_an_absolute_path_is_taken_as_it_is(world: Folder, tmp_path: Path) -> None:
    world.hold(PEOPLE[:2])
    source = csv.open(
        csv.Settings.model_validate({**SETTINGS, "path": str(tmp_path / "export-1.csv")}),
        Path("/nowhere"),
    )
    assert len(Reading(source).read) == 2


def test_no_file_is_unavailable_and_says_what_was_looked_for(world: Folder) -> None:
    with pytest.raises(SourceUnavailable, match=r"no file matches export-\*\.csv"):
        Reading(world.source())


def test_a_file_that_may_not_be_read_is_unavailable(
    world: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    world.hold(PEOPLE[:2])
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceUnavailable, match=r"export-1\.csv cannot be read: Permission denied"):
        Reading(world.source())


# -- still being written -------------------------------------------------------------------------


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def test_a_file_that_has_long_been_still_is_read_at_once(world: Folder, waits: list[float]) -> None:
    world.hold(PEOPLE[:2])
    assert Reading(world.source()).verdict == COMPLETE
    assert waits == []


@pytest.mark.parametrize("age", [0, 3, -3600], ids=["just now", "of late", "in the future"])
def test_a_fresh_file_is_read_after_it_was_still_for_the_time(
    world: Folder, waits: list[float], age: int
) -> None:
    world.hold(PEOPLE[:2])
    os.utime(world.path / "export-1.csv", (time.time() - age,) * 2)
    assert Reading(world.source(settle="10 seconds")).verdict == COMPLETE
    assert len(waits) == 1
    assert 10 - max(age, 0) - 2 < waits[0] <= 10


def grow(file: Path) -> None:
    with file.open("a") as open_file:
        open_file.write("P9;Nine;p9@example.com\n")


def touch(file: Path) -> None:
    os.utime(file, (2_000_000_000, 2_000_000_000))


@pytest.mark.parametrize("meddle", [grow, touch, Path.unlink])
def test_a_file_that_changes_meanwhile_is_still_being_written(
    world: Folder, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None]
) -> None:
    world.hold(PEOPLE[:2])
    file = world.path / "export-1.csv"
    os.utime(file)
    monkeypatch.setattr(time, "sleep", lambda _: meddle(file))
    with pytest.raises(IncompleteRead, match="still being written"):
        list(world.source().read(None))


@pytest.mark.parametrize("meddle", [grow, touch])
def test_a_file_that_changes_while_it_is_read_proves_nothing(
    world: Folder, meddle: Callable[[Path], None]
) -> None:
    world.hold(PEOPLE)
    batches = world.source().read(None)
    next(batches)
    meddle(world.path / "export-1.csv")
    *_, last = batches
    assert last.verdict == Verdict(
        complete=False, reason="export-1.csv was written to while it was read"
    )


def test_a_file_that_is_replaced_while_it_is_read_was_whole(world: Folder) -> None:
    world.hold(PEOPLE)
    batches = world.source().read(None)
    next(batches)
    world.put(text(PEOPLE[:1]), "next").replace(world.path / "export-1.csv")
    *_, last = batches
    assert last.verdict == COMPLETE
    assert len(Reading(world.source(), last.cookie).read) == 1


# -- what an export may look like ----------------------------------------------------------------

ROWS = "P0;Ána;a@example.com\nP1;李;b@example.com\n"

GOOD: dict[str, tuple[bytes, dict[str, Any]]] = {
    "plain": ((HEADINGS + ROWS).encode(), {}),
    "a byte order mark": (b"\xef\xbb\xbf" + (HEADINGS + ROWS).encode(), {}),
    "no last line end": ((HEADINGS + ROWS).rstrip("\n").encode(), {}),
    "line ends of Windows": ((HEADINGS + ROWS).replace("\n", "\r\n").encode(), {}),
    "line ends of old Macs": ((HEADINGS + ROWS).replace("\n", "\r").encode(), {}),
    "blank lines": (("\n" + HEADINGS + "\n  \n" + ROWS + "\n\n").encode(), {}),
    "utf-16": ((HEADINGS + ROWS).encode("utf-16"), {"encoding": "utf-16"}),
    "utf-16-be": ((HEADINGS + ROWS).encode("utf-16-be"), {"encoding": "utf-16-be"}),
    "gb18030": ((HEADINGS + ROWS).encode("gb18030"), {"encoding": "GB18030"}),
    "tabs": ((HEADINGS + ROWS).replace(";", "\t").encode(), {"delimiter": "\t"}),
    "quotes": ((HEADINGS + ROWS).replace("P0", '"P0"').encode(), {}),
    "another quote": ((HEADINGS + ROWS).replace("P0", "'P0'").encode(), {"quote": "'"}),
    "blanks around headings": ((" Person ID ; Name;E-mail \n" + ROWS).encode(), {}),
    "a column nobody asked for": (
        (HEADINGS + ROWS).replace("\n", ";x\n").replace(";x", ";", 1).encode(),
        {},
    ),
    "a trailer": ((HEADINGS + ROWS + "TRAILER;2\n").encode(), TRAILER),
    "a trailer as wide as a row": ((HEADINGS + ROWS + "TRAILER;2;\n").encode(), TRAILER),
    "a trailer in words": (
        (HEADINGS + ROWS + "Rows in all: 2\n").encode(),
        {"trailer": {"starts_with": "Rows in all", "count_column": 1}},
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_an_export_is_read_complete(world: Folder, case: str) -> None:
    content, settings = GOOD[case]
    world.put(content)
    reading = Reading(world.source(**settings))
    assert reading.verdict == COMPLETE
    assert reading.attributes == [
        {"id": "P0", "name": "Ána", "mail": "a@example.com"},
        {"id": "P1", "name": "李", "mail": "b@example.com"},
    ]


def test_a_quoted_cell_keeps_delimiters_quotes_and_line_ends(world: Folder) -> None:
    world.put(HEADINGS + 'P0;"Án;""a""\r\nB\u2028";a@example.com\n')
    assert Reading(world.source()).attributes[0]["name"] == 'Án;"a"\r\nB\u2028'


def test_without_columns_the_headings_are_the_names(world: Folder) -> None:
    world.put(HEADINGS + ROWS)
    reading = Reading(world.source(columns={}, require=["Person ID"]))
    assert reading.attributes[0] == {"Person ID": "P0", "Name": "Ána", "E-mail": "a@example.com"}


def test_the_order_of_columns_changes_no_fingerprint(world: Folder) -> None:
    world.put("Name;Person ID;E-mail\nAna;P0;a@example.com\n")
    first = Reading(world.source()).read[0]
    world.put("E-mail;Name;Person ID\na@example.com;Ana;P0\n")
    assert Reading(world.source()).read[0].fingerprint == first.fingerprint


def test_rows_of_one_person_are_records_of_their_own(world: Folder) -> None:
    rows = ["P0;first", "P0#2;somebody else", "P0;second", "P0;third", "P0#2;again"]
    world.put(HEADINGS + "".join(f"{row};m\n" for row in rows))
    reading = Reading(world.source())
    assert {key: entry.attributes["name"] for key, entry in reading.entries.items()} == {
        "P0": "first",
        "P0#2": "somebody else",
        "P0#3": "second",
        "P0#4": "third",
        "P0#2#2": "again",
    }


def test_row_key_names_the_record_where_require_does_not(world: Folder) -> None:
    world.put(HEADINGS + ROWS)
    assert set(Reading(world.source(row_key="mail")).entries) == {"a@example.com", "b@example.com"}


def test_headings_alone_are_a_company_of_nobody(world: Folder) -> None:
    world.put(HEADINGS)
    reading = Reading(world.source())
    assert (reading.read, reading.verdict) == ([], COMPLETE)


# -- what no export may look like ----------------------------------------------------------------

BAD: dict[str, tuple[bytes | str, dict[str, Any], int, str]] = {
    # case: (content, settings, rows read before the fault, reason)
    "empty": ("", {}, 0, ":1: the file is empty"),
    "blank lines only": ("\n\n  \n", {}, 0, "the file is empty"),
    "HTML": (
        "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
        {},
        0,
        ":1: a web page instead of an export",
    ),
    "no line of headings": (ROWS, {}, 0, ":1: not one of the headings that are needed"),
    "another delimiter": (HEADINGS + ROWS, {"delimiter": ","}, 0, "is `delimiter` (',') right?"),
    "a renamed column": (
        HEADINGS.replace("E-mail", "E-Mail") + ROWS,
        {},
        0,
        ":1: no column 'E-mail'; did you mean 'E-Mail'? There are: Person ID, Name, E-Mail",
    ),
    "a required heading that is missing": (
        "Person ID;Name\nP0;Ana\n",
        {"columns": {}, "require": ["Person ID", "Status"]},
        0,
        ":1: no column 'Status'. There are: Person ID, Name",
    ),
    "a column in capitals": (
        HEADINGS.replace("E-mail", "E-MAIL") + ROWS,
        {},
        0,
        ":1: no column 'E-mail'; did you mean 'E-MAIL'? There are: Person ID, Name, E-MAIL",
    ),
    "two columns of one heading": (
        "Person ID;Name;E-mail;name\nP0;Ana;a@example.com;x\n",
        {},
        0,
        ":1: two columns have the heading 'Name'",
    ),
    "a row too short": (HEADINGS + ROWS + "P2;Bo\n", {}, 2, ":4: 2 cells instead of 3"),
    "a row too long": (HEADINGS + ROWS + "P2;B;b;c\n", {}, 2, ":4: 4 cells instead of 3"),
    "a row cut short after blank lines": (
        HEADINGS + "\n\n" + ROWS + "P2",
        {},
        2,
        ":6: 1 cells instead of 3",
    ),
    "a row without its key": (HEADINGS + ROWS + " ;B;b\n", {}, 2, ":4: id is empty"),
    "a row of nothing": (HEADINGS + ROWS + ";;\n", {}, 2, ":4: id is empty"),
    "a quote that never closes": (
        HEADINGS + ROWS + 'P2;"Bo;b\nP3;C;c\n',
        {},
        2,
        ':4: a quote (") opens in this row and never closes',
    ),
    "a quote that closes too early": (HEADINGS + ROWS + 'P2;"B"o;b\n', {}, 2, ":4: the row is no"),
    "a huge cell": (HEADINGS + ROWS + f"P2;{'x' * 200_000};b\n", {}, 2, ":4: a cell is longer"),
    "a huge line": (HEADINGS + ROWS + "P2;" + "x;" * 1_000_000, {}, 2, ":4: a line is longer than"),
    "NUL": (HEADINGS + ROWS + "P2;\0;b\n", {}, 2, ":4: a NUL character"),
    "NULs at the end": (HEADINGS + ROWS + "\0" * 500, {}, 2, ":4: a NUL character"),
    "utf-16 read as utf-8": ((HEADINGS + ROWS).encode("utf-16-le"), {}, 0, ":1: a NUL character"),
    "cp1252 read as utf-8": (
        (HEADINGS + "P0;Ana;a\nP1;Ána;b\n").encode("cp1252"),
        {},
        1,
        ":3: byte 34 is not utf-8",
    ),
    "cp1252 read as utf-8, with a byte order mark": (
        b"\xef\xbb\xbf" + (HEADINGS + "P0;Ana;a\nP1;Ána;b\n").encode("cp1252"),
        {},
        1,
        ":3: byte 37 is not utf-8",
    ),
    "a character cut short": (
        (HEADINGS + ROWS + "P2;李").encode()[:-1],
        {},
        2,
        "is not utf-8: unexpected end of data",
    ),
    "half a unit of utf-16": (
        (HEADINGS + ROWS).encode("utf-16")[:-1],
        {"encoding": "utf-16"},
        1,
        "is not utf-16",
    ),
    "no trailer": (HEADINGS + ROWS, TRAILER, 2, ":3: the file ends without its trailer row"),
    "a trailer with a higher count": (
        HEADINGS + ROWS + "TRAILER;3\n",
        TRAILER,
        2,
        ":4: 2 rows, but the trailer counts 3",
    ),
    "a trailer without a count": (
        HEADINGS + ROWS + "TRAILER;many\n",
        TRAILER,
        2,
        ":4: the trailer holds no count in its cell 2",
    ),
    "a trailer too short": (HEADINGS + ROWS + "TRAILER\n", TRAILER, 2, "no count in its cell 2"),
    "rows after the trailer": (
        HEADINGS + ROWS + "TRAILER;2\nP9;Z;z\n",
        TRAILER,
        2,
        ":5: a row follows the trailer",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_doubtful_export_is_incomplete_and_says_where(world: Folder, case: str) -> None:
    content, settings, count, reason = BAD[case]
    world.put(content)
    reading = Reading(world.source(**settings))
    assert reading.verdict is not None
    assert (reading.verdict.complete, reading.verdict.whole) == (False, False)
    assert reading.verdict.reason.startswith("export-1.csv:")
    assert reason in reading.verdict.reason
    assert len(reading.read) == count


def test_no_value_of_a_first_row_is_told_although_it_holds_a_heading(world: Folder) -> None:
    world.put("P7;Name;zoe@example.com\nP8;Bo;bo@example.com\n")
    verdict = Reading(world.source()).verdict
    assert verdict is not None
    assert verdict.reason == (
        "export-1.csv:1: no column 'Person ID', 'E-mail': is there a line of headings?"
    )


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072])
def test_a_wrong_byte_is_found_where_it_is_in_a_long_file(world: Folder, size: int) -> None:
    rows = (HEADINGS + "P0;李;b\n" * 20_000).encode()[:size]
    rows = rows[: rows.rindex(b"\n") + 1]
    world.put(rows + b"P1;" + "李".encode()[:2] + b";b\n")
    verdict = Reading(world.source()).verdict
    assert verdict is not None
    line = rows.count(b"\n") + 1
    assert verdict.reason.startswith(f"export-1.csv:{line}: byte {len(rows) + 3:,} is not utf-8")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_where_a_file_is_cut_into_chunks_makes_no_difference(
    world: Folder, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    cases = [*GOOD.values(), *((case[0], case[1]) for case in BAD.values() if len(case[0]) < 999)]
    for content, settings in cases:
        world.put(content)
        expected = Reading(world.source(**settings))
        with monkeypatch.context() as patch:
            patch.setattr(csv_rows, "_CHUNK", size)
            reading = Reading(world.source(**settings))
        assert reading.read == expected.read
        assert reading.verdict == expected.verdict


def test_with_a_trailer_no_part_of_a_file_is_taken_for_the_whole(world: Folder) -> None:
    whole = (HEADINGS + ROWS * 6 + "TRAILER;12\n").encode()
    for length in range(len(whole) - 1):
        world.put(whole[:length])
        verdict = Reading(world.source(**TRAILER)).verdict
        assert verdict is not None
        assert not verdict.complete, length


def test_a_disk_that_fails_in_the_middle_is_incomplete(
    world: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Failing:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def read(self, size: int) -> bytes:
            if self.file.tell() > 60_000:
                raise OSError(5, "Input/output error")
            data: bytes = self.file.read(size)
            return data

        def seek(self, place: int) -> int:
            return int(self.file.seek(place))

    opened = Path.open
    world.hold([{**person, "name": "x" * 100} for person in PEOPLE])
    monkeypatch.setattr(Path, "open", lambda path, mode: Failing(opened(path, mode)))
    reading = Reading(world.source())
    assert reading.verdict == Verdict(
        complete=False, reason="export-1.csv: reading broke off: Input/output error"
    )
    assert 0 < len(reading.read) < len(PEOPLE)


def test_no_reason_tells_anybodys_values(world: Folder) -> None:
    for case, (content, settings, _, _) in BAD.items():
        world.put(content)
        verdict = Reading(world.source(**settings)).verdict
        assert verdict is not None
        assert not [word for word in ("Ána", "example.com", "P0") if word in verdict.reason], case


def test_a_store_that_took_in_a_part_is_read_whole_next_time(world: Folder) -> None:
    world.put(text(PEOPLE[:5]), "export-1.csv")
    known = Reading(world.source())
    bad = world.put(text([{**PEOPLE[0], "mail": "new@example.com"}]) + "P2;", "export-2.csv")
    broken = Reading(world.source(), known.cookie)
    bad.unlink()
    assert Reading(world.source(), broken.cookie).attributes == PEOPLE[:5]


# -- settings ------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"path": ""}, "path"),
    ({"delimiter": "||"}, "delimiter"),
    ({"quote": ""}, "quote"),
    ({"encoding": "utf-7-and-a-half"}, "is the name of a text encoding"),
    ({"encoding": "base64"}, "is the name of a text encoding"),
    ({"settle": "soon"}, "is a time such as `5 seconds`"),
    ({"require": []}, "needs `row_key`, or `require`"),
    ({"require": ["nobody"]}, "'nobody' is required but is not a name in `columns`"),
    ({"row_key": "nobody"}, "'nobody' is required but is not a name in `columns`"),
    ({"columns": {"id": "A", "ID": "B"}}, "differ only by upper and lower case"),
    ({"trailer": {"starts_with": ""}}, "starts_with"),
    ({"trailer": {"starts_with": "T", "count_column": 0}}, "count_column"),
    ({"colums": {}}, "colums"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_wrong_settings_are_refused_in_words(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        csv.Settings.model_validate({**SETTINGS, **settings})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0 seconds", 0), ("90 seconds", 90), ("1 minute", 60), ("2 hours", 7200)],
)
def test_a_time_is_written_in_words(written: str, seconds: int) -> None:
    settings = csv.Settings.model_validate({**SETTINGS, "settle": written})
    assert settings.settle.total_seconds() == seconds


def test_the_short_names_are_what_expressions_may_use() -> None:
    assert csv.Settings.model_validate(SETTINGS).attribute_names() == frozenset(
        ("id", "name", "mail")
    )
    bare = csv.Settings.model_validate({**SETTINGS, "columns": {}})
    assert bare.attribute_names() is None


def test_the_kind_is_known_by_its_type() -> None:
    assert kinds()["csv"] is csv
    assert settings_models()["csv"] is csv.Settings
