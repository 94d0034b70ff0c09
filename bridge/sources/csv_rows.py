"""Bytes of a CSV file into rows with their line numbers, stopping at the first doubt.

Python's own text files decode ahead of what they hand out, so a fault in them costs the good rows
before it and has no exact place. Here every row before the fault is handed out first.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from bridge.errors import IncompleteRead

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20


def is_text_encoding(name: str) -> bool:
    """Whether Python can decode a stream of bytes named so into text."""
    try:
        return isinstance(codecs.getincrementaldecoder(name)().decode(b""), str)
    except (LookupError, ValueError, TypeError):
        return False


def rows(
    file: BinaryIO, name: str, encoding: str, delimiter: str, quote: str
) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with the number of its first line.

    Raises `IncompleteRead` with ``name`` and the line at bytes that are not ``encoding``, at NUL,
    at quotes that do not close and at lines or cells that are too long to be true.
    """
    reader = csv.reader(
        _lines(file, name, encoding), delimiter=delimiter, quotechar=quote, strict=True
    )
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise IncompleteRead(f"{name}:{line}: {_explain(str(error), quote)}") from None
        if len(row) > 1 or (row and not row[0].isspace() and row[0]):
            yield line, row
        line = reader.line_num + 1


def _explain(error: str, quote: str) -> str:
    if error.startswith("unexpected end of data"):
        return f"a quote ({quote}) opens in this row and never closes"
    if error.startswith("field larger"):
        limit = csv.field_size_limit()
        return f"a cell is longer than {limit:,} characters: a quote ({quote}) may not be closed"
    return f"the row is no CSV: {error}"


def _lines(file: BinaryIO, name: str, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = _skip_mark(file, encoding)
    number = 0
    rest = ""
    fault = ""
    while not fault:
        data = file.read(_CHUNK)
        before = decoder.getstate()
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # `error` counts from the bytes that the decoder still held, not from this chunk.
            held = len(before[0])
            fault = f"byte {offset - held + error.start:,} is not {encoding}: {error.reason}"
            decoder.setstate(before)
            text = decoder.decode(data[: max(error.start - held, 0)])
        offset += len(data)
        if "\0" in text:
            text = text[: text.index("\0")]
            fault = "a NUL character: the file is damaged or of another encoding"
        # Line ends as they are; the last line waits for its rest (a "\r" for its "\n", too).
        lines = io.StringIO(rest + text, newline="").readlines()
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        number += len(lines)
        yield from lines
        if len(rest) > _LONGEST_LINE:
            fault = f"a line is longer than {_LONGEST_LINE:,} characters"
        if not data:
            break
    if fault:
        raise IncompleteRead(f"{name}:{number + 1}: {fault}")
    if rest:
        yield rest


def _skip_mark(file: BinaryIO, encoding: str) -> int:
    if codecs.lookup(encoding).name != "utf-8":
        return 0
    mark = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    return file.seek(len(codecs.BOM_UTF8) if mark else 0)
