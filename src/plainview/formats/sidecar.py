"""Read lists that come along with footage (CSV, JSON, XML) by what a folder pattern says of them.

Each row becomes particulars, or a sentence that says why it does not. What a cell holds is text: a formula is never
worked out, a link is never followed.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Union

from plainview.formats.errors import FormatError
from plainview.formats.folder_match import row_name
from plainview.formats.local_time import read_time
from plainview.formats.particulars import NOTHING_SAID, Particulars, check_words
from plainview.formats.plain_xml import XmlElement, read_xml

if TYPE_CHECKING:
    from plainview.formats.folder_match import MatchedRecording
    from plainview.formats.folder_pattern import Sidecar

SIDECAR_LIMIT_BYTES = 16 << 20
MOST_ROWS = 100_000
MOST_COLUMNS = 1000
ROW_LIMIT_CHARS = 1 << 20
MOST_ELEMENTS = 500_000
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CODECS = {"latin-1": "latin-1", "windows-1252": "cp1252", "utf-8": "utf-8", "utf-16": "utf-16"}

_Row = Union["_CsvRow", "_JsonRow", "_XmlRow"]


@dataclass(frozen=True)
class SidecarRow:
    """A row of a list.

    Attributes:
        number: as a person would count it: the line of a CSV, the place among the others, from 1.
        names: what it says the footage is called, in lower case; empty where the list has one row only.
        particulars: what it says.
        problem: why it cannot be used; empty where it can.
    """

    number: int
    names: str
    particulars: Particulars
    problem: str


def read_sidecar(sidecar: Sidecar, data: bytes, *, place: str, what: str) -> tuple[SidecarRow, ...]:
    """Read a list.

    Args:
        sidecar: what the pattern says of it; its `read` is csv, json or xml.
        data: the list.
        place: IANA zone of the department.
        what: the list's name, for the error.

    Raises:
        FormatError: it cannot be read at all, lacks what the pattern names, or is larger than any list.
    """
    if len(data) > SIDECAR_LIMIT_BYTES:
        raise FormatError(what, f"expected at most {SIDECAR_LIMIT_BYTES} bytes, got {len(data)}")
    rows = {"csv": _csv_rows, "json": _json_rows, "xml": _xml_rows}[sidecar.read](sidecar, data, what)
    return tuple(_read_row(sidecar, number, row, place) for number, row in rows)


def rows_about(
    rows: Mapping[str, tuple[SidecarRow, ...]], recording: MatchedRecording, *, kind: str
) -> tuple[SidecarRow, ...]:
    """Return the rows that name a file of a recording.

    Args:
        rows: of a list, by what they name.
        recording: the recording.
        kind: one of folder_pattern.ROW_NAMES.
    """
    names = dict.fromkeys(row_name(kind, file) for file in recording.files)
    return tuple(row for name in names if name for row in rows.get(name, ()))


def _read_row(sidecar: Sidecar, number: int, row: _Row, place: str) -> SidecarRow:
    names = ""
    try:
        names = _names(sidecar, row)
        return SidecarRow(number, names, _said(sidecar, row, place), "")
    except FormatError as error:
        return SidecarRow(number, names, NOTHING_SAID, str(error))


def _names(sidecar: Sidecar, row: _Row) -> str:
    """Return what a row says its footage is called."""
    if sidecar.row is None:
        return ""
    at = sidecar.row[0].at
    names = row.value(at).strip().replace("\\", "/").lower()
    if not names:
        raise FormatError("row", f"{at!a:.60} is empty: it names no footage")
    return names


def _said(sidecar: Sidecar, row: _Row, place: str) -> Particulars:
    said: dict[str, Any] = {}
    for name, where in sidecar.fields.items():
        text = row.value(where.at).strip()
        if text and where.writing is not None:
            said[name] = read_time(text, where.writing, place=place, what=name)
        elif text:
            said[name] = check_words(text, what="row", field=name)
    return Particulars(**said)


def _decode(sidecar: Sidecar, data: bytes, what: str) -> str:
    codec = next((codec for mark, codec in _MARKS if data.startswith(mark)), _CODECS[sidecar.encoding])
    try:
        text = data.decode(codec)
    except UnicodeError as error:
        raise FormatError(
            what,
            f'not {codec} text (at byte {getattr(error, "start", 0)}); say its "encoding" in the pattern',
        ) from error
    if "\0" in text:
        raise FormatError(what, 'it holds NUL characters: no text, or text of another "encoding"')
    return text


# CSV.


@dataclass(frozen=True)
class _CsvRow:
    cells: list[str]
    columns: Mapping[str, int]

    def value(self, at: str) -> str:
        """Return a cell; FormatError where the line is too short."""
        # Some programs end every line with a comma.
        if len(self.cells) < len(self.columns) or any(self.cells[len(self.columns) :]):
            raise FormatError("row", f"expected {len(self.columns)} cells, got {len(self.cells)}")
        return self.cells[self.columns[at]]


def _csv_rows(sidecar: Sidecar, data: bytes, what: str) -> Iterator[tuple[int, _Row]]:
    text = _decode(sidecar, data, what)
    lines = _Lines(text, what)
    reader = csv.reader(lines, delimiter=sidecar.delimiter, strict=True)
    columns: dict[str, int] | None = None
    count = 0
    try:
        for cells in reader:
            lines.next_row()
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(sidecar, cells, what)
                continue
            count += 1
            if count > MOST_ROWS:
                raise FormatError(what, f"expected at most {MOST_ROWS} rows")
            yield reader.line_num, _CsvRow(cells, columns)
    except csv.Error as error:
        raise FormatError(what, f"not CSV at line {reader.line_num}: {error}") from error
    if columns is None:
        raise FormatError(what, "it is empty: expected a line of column names")


class _Lines:
    """Hands a CSV's lines on, and refuses a row that goes on without end."""

    def __init__(self, text: str, what: str) -> None:
        self._lines = iter(text.splitlines(keepends=True))
        self._what, self._length = what, 0

    def next_row(self) -> None:
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._length += len(line)
        if self._length > ROW_LIMIT_CHARS:
            raise FormatError(self._what, f"a row has more than {ROW_LIMIT_CHARS} characters")
        return line


def _columns(sidecar: Sidecar, cells: list[str], what: str) -> dict[str, int]:
    if len(cells) > MOST_COLUMNS:
        raise FormatError(what, f"expected at most {MOST_COLUMNS} columns, got {len(cells)}")
    names = [cell.strip() for cell in cells]
    wanted = [each.at for each in sidecar.fields.values()]
    if sidecar.row is not None:
        wanted.append(sidecar.row[0].at)
    for name in wanted:
        if names.count(name) != 1:
            had = ", ".join(names)
            raise FormatError(
                what,
                f"expected one column {name!a:.60}, got {names.count(name)}; its columns are {had!a:.300}",
            )
    # Names that nobody asks for may be empty or come twice: what counts is how many there are.
    return {(name if name in wanted else f"{n}\n{name}"): n for n, name in enumerate(names)}


# JSON.


@dataclass(frozen=True)
class _JsonRow:
    record: Any

    def value(self, at: str) -> str:
        """Return what stands at a JSON pointer, as text; nothing where nothing does."""
        found = _pointed(self.record, at)
        if found is None:
            return ""
        if type(found) is not str:
            raise FormatError("row", f"{at!a:.60}: expected text or a number, got {type(found).__name__}")
        return found


def _json_rows(sidecar: Sidecar, data: bytes, what: str) -> Iterator[tuple[int, _Row]]:
    text = _decode(sidecar, data, what)
    try:
        # Numbers stay as they are written: a serial number may be one, and longer than any that is counted with.
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError as error:
        raise FormatError(what, "nested too deep") from error
    except ValueError as error:
        raise FormatError(what, f"not JSON: {error}") from error
    rows = _pointed(value, sidecar.rows) if sidecar.rows else value
    if sidecar.row is None and not sidecar.rows:
        rows = [value]
    if type(rows) is not list or len(rows) > MOST_ROWS:
        raise FormatError(
            what, f"expected a list of at most {MOST_ROWS} rows at {sidecar.rows or 'its top'!a:.60}"
        )
    _check_one(sidecar, len(rows), what)
    yield from ((number, _JsonRow(row)) for number, row in enumerate(rows, 1))


def _pointed(value: Any, pointer: str) -> Any:
    """Return what a pointer points to; None where it points nowhere.

    Source: RFC 6901.
    """
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if type(value) is dict:
            value = value.get(name)
        elif type(value) is list and name.isdecimal() and len(name) < 7 and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


# XML.


@dataclass(frozen=True)
class _XmlRow:
    element: XmlElement

    def value(self, at: str) -> str:
        """Return the text, or with @ the attribute, at a path of names from here; nothing where nothing is."""
        path, _, attribute = at.partition("@")
        found = [self.element]
        for name in filter(None, path.split("/")):
            found = [child for element in found for child in element.each(name)]
        if len(found) > 1:
            raise FormatError("row", f"{at!a:.60} is there {len(found)} times")
        if not found:
            return ""
        return found[0].attributes.get(attribute, "") if attribute else found[0].text


def _xml_rows(sidecar: Sidecar, data: bytes, what: str) -> Iterator[tuple[int, _Row]]:
    found = [read_xml(data, what=what, most_elements=MOST_ELEMENTS)]
    for name in filter(None, sidecar.rows.split("/")):
        found = [child for element in found for child in element.each(name)]
    if len(found) > MOST_ROWS:
        raise FormatError(what, f"expected at most {MOST_ROWS} rows")
    _check_one(sidecar, len(found), what)
    yield from ((number, _XmlRow(element)) for number, element in enumerate(found, 1))


def _check_one(sidecar: Sidecar, count: int, what: str) -> None:
    if sidecar.row is None and count != 1:
        raise FormatError(
            what, f'expected one row, got {count}; or say in the pattern by which "row" it is told'
        )
