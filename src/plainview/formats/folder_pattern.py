"""Folder patterns: what a card, a share or an export of another maker looks like, so that it can be taken in.

Example (JSON that people write and change; all but kind, v, name and footage may be left out):
    {"kind": "plainview-folder-pattern", "v": 1,
     "name": "Cards with a list of recordings", "about": "Where the shape was learned.",
     "make": "Example", "model": "EX-1", "camera": "body", "zone": "place", "may_erase": false,
     "footage": ["DCIM/100/{serial}_{started}_{part}.MP4"],
     "started": "%Y%m%d_%H%M%S", "same": ["serial", "started"],
     "sidecars": [{"path": ["DCIM/100/list.csv"], "read": "csv", "belongs": "folder",
                   "row": {"at": "File", "is": "name"},
                   "fields": {"badge": "Officer ID", "started_at": {"at": "Start", "format": "iso"}}}]}

In a path, * is anything but a slash, ** any folders, ? one character, and {serial}, {badge}, {started}, {part}, {group}
are read; {group:4} has four characters. Upper and lower case are the same, as on cards.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_text
from plainview.formats.local_time import TimeWriting, parse_time_writing, time_expression
from plainview.formats.particulars import FIELDS, TEXT_LIMITS

FOLDER_PATTERN_KIND = "plainview-folder-pattern"
FOLDER_PATTERN_LIMIT_BYTES = 65_536
# What may be read out of a path.
NAMED = ("serial", "badge", "started", "part", "group")
# What files of one recording can have in common besides: the folder they lie in.
FOLDER = "folder"
READINGS = ("csv", "json", "xml", "gpx", "srt", "vtt", "nothing")
BELONGS = ("stem", "group", "folder", "all")
# What a row says of the file it is about: its name, that without its ending, its path, or what it calls the group.
ROW_NAMES = ("name", "stem", "path", "group")
SIDECAR_KINDS = ("sidecar", "audit_trail", "track", "subtitles", "bookmark", "settings")
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "latin-1")
CAMERAS = ("body", "car", "fixed", "other")
DELIMITERS = (",", ";", "\t", "|")
# So that no name on a card can keep a comparison busy.
MOST_LOOSE = 3
MOST_ANY_FOLDERS = 2
MOST_TEMPLATES = 32
MOST_SIDECARS = 16
_PATTERN_KEYS = frozenset(
    {
        "v",
        "kind",
        "name",
        "about",
        "make",
        "model",
        "camera",
        "zone",
        "footage",
        "started",
        "same",
        "sidecars",
        "may_erase",
    }
)
_SIDECAR_KEYS = frozenset(
    {"path", "read", "kind", "belongs", "rows", "row", "fields", "encoding", "delimiter"}
)
_CHARACTERS = {"serial": "[A-Za-z0-9-]", "badge": "[A-Za-z0-9-]", "part": "[0-9]", "group": "[^/]"}
_PIECES = re.compile(r"\*\*/|\*|\?|\{[^}]*\}?|[^*?{]+|.", re.DOTALL)
_PLACE = re.compile(r"\{([a-z]+)(?::([1-9][0-9]?))?\}\Z", re.ASCII)


@dataclass(frozen=True)
class PathTemplate:
    """A path in which some things may differ.

    Attributes:
        text: as it was written.
        expression: what a path from the folder down must match whole.
    """

    text: str
    expression: re.Pattern[str]


@dataclass(frozen=True)
class FieldPlace:
    """Where in a list a field stands.

    Attributes:
        at: a column's name, a JSON pointer, or an XML path, by how the list is read.
        writing: how a time is written there; None for texts.
    """

    at: str
    writing: TimeWriting | None = None


@dataclass(frozen=True)
class Sidecar:
    """A kind of file that comes along with footage.

    Attributes:
        paths: where it lies.
        read: one of READINGS; "nothing" keeps it as received.
        kind: one of SIDECAR_KINDS: what it is kept as.
        belongs: one of BELONGS: to the footage of the same name, of the same group, in its folder, or to all.
        rows: where its rows are, as a JSON pointer or XML path; empty where it is one row, or a CSV.
        row: where a row names its footage, and which of ROW_NAMES it names; None where it has one row only.
        fields: where each of particulars.FIELDS stands.
        encoding: one of ENCODINGS, where no byte order mark says so.
        delimiter: of a CSV.
    """

    paths: tuple[PathTemplate, ...]
    read: str
    kind: str
    belongs: str
    rows: str
    row: tuple[FieldPlace, str] | None
    fields: dict[str, FieldPlace]
    encoding: str
    delimiter: str


@dataclass(frozen=True)
class FolderPattern:
    """What a folder of another maker's looks like.

    Attributes:
        name: for people who choose one. about: where the shape was learned.
        make, model: of the cameras; empty where the files are of many.
        camera: one of CAMERAS: how they are carried.
        footage: which files are footage; the first that fits counts.
        started: how {started} is written in their names; None where no name has it.
        same: what files of one recording have in common: of NAMED, and FOLDER; empty: each file is a recording.
        sidecars: what comes along; the first that fits counts.
        may_erase: whether a dock may erase what the server has.
    """

    name: str
    about: str
    make: str
    model: str
    camera: str
    footage: tuple[PathTemplate, ...]
    started: TimeWriting | None
    same: tuple[str, ...]
    sidecars: tuple[Sidecar, ...]
    may_erase: bool


def parse_folder_pattern(data: bytes) -> FolderPattern:
    """Read a folder pattern.

    Raises:
        FormatError: too long, not JSON, a key that is not known, or a value that makes no sense, and where.
    """
    record = _read_json(data)
    what = _WHAT
    if type(record) is not dict:
        raise FormatError(what, f"expected an object, got {type(record).__name__}")
    _check_keys(record, _PATTERN_KEYS, "")
    for key, wanted in (("v", 1), ("kind", FOLDER_PATTERN_KIND)):
        if record.get(key) != wanted or type(record[key]) is not type(wanted):
            raise FormatError(what, f"{key}: expected {wanted!r}, got {record.get(key)!r:.60}")
    zone = record.get("zone", "")
    started = _parse_started(record.get("started"), zone)
    footage = _parse_paths(record.get("footage"), "footage", started)
    has_started = any("started" in template.expression.groupindex for template in footage)
    if has_started != (started is not None):
        raise FormatError(what, "started: expected where, and only where, a path of footage has {started}")
    if type(record.get("may_erase", False)) is not bool:
        raise FormatError(what, "may_erase: expected true or false")
    return FolderPattern(
        name=_words(record, "name", 100) or _missing("name"),
        about=_words(record, "about", 500),
        make=_words(record, "make", 64),
        model=_words(record, "model", 64),
        camera=_one_of(record.get("camera", "body"), CAMERAS, "camera"),
        footage=footage,
        started=started,
        same=_parse_same(record.get("same", []), footage),
        sidecars=_parse_sidecars(record.get("sidecars", []), started, zone),
        may_erase=record.get("may_erase", False),
    )


_WHAT = "folder pattern"


def _read_json(data: bytes) -> Any:
    if len(data) > FOLDER_PATTERN_LIMIT_BYTES:
        raise FormatError(_WHAT, f"expected at most {FOLDER_PATTERN_LIMIT_BYTES} bytes, got {len(data)}")
    try:
        # Editors on some systems put a byte order mark before what people write.
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_refuse_repeats)
    except RecursionError as error:
        raise FormatError(_WHAT, "nested too deep") from error
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(_WHAT, f"not JSON in UTF-8: {error}") from error


def _refuse_repeats(pairs: Any) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        raise FormatError(
            _WHAT, f"a key appears twice: {sorted({n for n in names if names.count(n) > 1})!s:.200}"
        )
    return record


def _check_keys(record: dict[str, Any], known: Any, where: str) -> None:
    extra = sorted(record.keys() - known)
    if extra:
        raise FormatError(_WHAT, f"{where}unknown keys {extra!s:.200}; known are {', '.join(sorted(known))}")


def _missing(key: str) -> Any:
    raise FormatError(_WHAT, f"{key}: is missing")


def _words(record: dict[str, Any], key: str, limit: int) -> str:
    text = check_text(record.get(key, ""), what=_WHAT, field=key, pattern=LINE)
    if len(text) > limit:
        raise FormatError(_WHAT, f"{key}: expected at most {limit} characters, got {len(text)}")
    return text


def _one_of(value: Any, known: tuple[str, ...], where: str) -> str:
    if type(value) is not str or value not in known:
        raise FormatError(_WHAT, f"{where}: expected one of {', '.join(known)}, got {value!r:.60}")
    return value


def _list(value: Any, where: str, most: int) -> Any:
    if type(value) is not list or len(value) > most:
        raise FormatError(_WHAT, f"{where}: expected a list of at most {most}")
    return value


def _parse_started(value: Any, zone: Any) -> TimeWriting | None:
    if value is None:
        return None
    writing = parse_time_writing(value, what=_WHAT, field="started", zone=zone)
    if writing.format in ("iso", "unix_s", "unix_ms"):
        raise FormatError(
            _WHAT, "started: expected directives such as %Y%m%d_%H%M%S, for it stands in a name"
        )
    return writing


def _parse_paths(value: Any, where: str, started: TimeWriting | None) -> tuple[PathTemplate, ...]:
    texts = _list(value, where, MOST_TEMPLATES)
    if not texts:
        raise FormatError(_WHAT, f"{where}: expected at least one path")
    return tuple(
        _parse_template(check_text(text, what=_WHAT, field=f"{where}[{n}]"), f"{where}[{n}]", started)
        for n, text in enumerate(texts)
    )


def _parse_template(text: str, where: str, started: TimeWriting | None) -> PathTemplate:
    if not 0 < len(text) <= 300 or text.startswith("/") or "\\" in text:
        raise FormatError(_WHAT, f"{where}: expected a path below the folder, with / between its parts")
    pieces, loose, seen = [], 0, set()
    for piece in _PIECES.findall(text):
        place = _PLACE.match(piece)
        if piece.startswith("{"):
            if place is None or place.group(1) not in NAMED or place.group(1) in seen:
                raise FormatError(
                    _WHAT, f"{where}: {piece!a:.40}: expected one of {', '.join(NAMED)} in braces, each once"
                )
            seen.add(place.group(1))
            pieces.append(_place_expression(place.group(1), place.group(2), where, started))
            loose += place.group(1) != "started" and place.group(2) is None
        else:
            loose += piece == "*"
            pieces.append({"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece))
    if loose > MOST_LOOSE or text.count("**/") > MOST_ANY_FOLDERS:
        raise FormatError(
            _WHAT,
            f"{where}: expected at most {MOST_LOOSE} of * and of braces without a width, and {MOST_ANY_FOLDERS} of **/",
        )
    return PathTemplate(text, re.compile("".join(pieces) + r"\Z", re.IGNORECASE | re.ASCII))


def _place_expression(name: str, width: str | None, where: str, started: TimeWriting | None) -> str:
    if name == "part" and int(width or 1) > 9:
        raise FormatError(_WHAT, f"{where}: {{part}} has at most 9 digits")
    if name == "started":
        if started is None or width is not None:
            raise FormatError(_WHAT, f'{where}: {{started}} needs "started": how it is written')
        return f"(?P<started>{time_expression(started.format, what=_WHAT, field='started')})"
    # The longest serial number that the records hold, and the longest title that some systems name files by.
    most = "1,200" if name == "group" else "1,9" if name == "part" else "1,64"
    return f"(?P<{name}>{_CHARACTERS[name]}{{{width or most}}})"


def _parse_same(value: Any, footage: tuple[PathTemplate, ...]) -> tuple[str, ...]:
    known = (*NAMED, FOLDER)
    names = tuple(
        _one_of(each, known, f"same[{n}]") for n, each in enumerate(_list(value, "same", len(known)))
    )
    for name in names:
        if name == "part" or (
            name != FOLDER and not any(name in each.expression.groupindex for each in footage)
        ):
            raise FormatError(
                _WHAT, f"same: no path of footage has {{{name}}}, or it is what tells parts apart"
            )
    return names


def _parse_sidecars(value: Any, started: TimeWriting | None, zone: str) -> tuple[Sidecar, ...]:
    return tuple(
        _parse_sidecar(each, f"sidecars[{n}]", started, zone)
        for n, each in enumerate(_list(value, "sidecars", MOST_SIDECARS))
    )


def _parse_sidecar(record: Any, where: str, started: TimeWriting | None, zone: str) -> Sidecar:
    if type(record) is not dict:
        raise FormatError(_WHAT, f"{where}: expected an object, got {type(record).__name__}")
    _check_keys(record, _SIDECAR_KEYS, f"{where}: ")
    read = _one_of(record.get("read", "nothing"), READINGS, f"{where}: read")
    usual = {"gpx": "track", "srt": "subtitles", "vtt": "subtitles"}.get(read, "sidecar")
    sidecar = Sidecar(
        paths=_parse_paths(record.get("path"), f"{where}: path", started),
        read=read,
        kind=_one_of(record.get("kind", usual), SIDECAR_KINDS, f"{where}: kind"),
        belongs=_one_of(record.get("belongs", "stem"), BELONGS, f"{where}: belongs"),
        rows=check_text(record.get("rows", ""), what=_WHAT, field=f"{where}: rows", pattern=LINE),
        row=_parse_row(record.get("row"), where),
        fields=_parse_fields(record.get("fields", {}), where, zone),
        encoding=_one_of(record.get("encoding", "utf-8"), ENCODINGS, f"{where}: encoding"),
        delimiter=_one_of(record.get("delimiter", ","), DELIMITERS, f"{where}: delimiter"),
    )
    _check_sidecar(sidecar, where)
    return sidecar


def _check_sidecar(sidecar: Sidecar, where: str) -> None:
    """Raise where what is said of a sidecar cannot be done."""
    is_list = sidecar.read in ("csv", "json", "xml")
    if bool(sidecar.fields) != is_list:
        raise FormatError(_WHAT, f"{where}: fields: expected for csv, json and xml, and for nothing else")
    if not is_list and (sidecar.row is not None or sidecar.rows):
        raise FormatError(_WHAT, f"{where}: only csv, json and xml have rows")
    if sidecar.read == "csv" and sidecar.rows:
        raise FormatError(_WHAT, f"{where}: rows: every line of a csv is one; leave it out")
    if sidecar.belongs == "group" and not all(each.expression.groupindex for each in sidecar.paths):
        raise FormatError(
            _WHAT, f"{where}: path: to belong to a group it must have one of {', '.join(NAMED)}"
        )
    if is_list and sidecar.belongs in ("folder", "all") and sidecar.row is None:
        raise FormatError(
            _WHAT, f'{where}: one list for many recordings needs "row": where a row names its footage'
        )
    for at in [each.at for each in sidecar.fields.values()] + ([sidecar.row[0].at] if sidecar.row else []):
        if sidecar.read == "json" and not at.startswith("/"):
            raise FormatError(_WHAT, f"{where}: {at!a:.60}: expected a JSON pointer, such as /camera/serial")
    if sidecar.read == "json" and sidecar.rows and not sidecar.rows.startswith("/"):
        raise FormatError(_WHAT, f"{where}: rows: expected a JSON pointer, such as /recordings")


def _parse_row(value: Any, where: str) -> tuple[FieldPlace, str] | None:
    if value is None:
        return None
    if type(value) is not dict or value.keys() != {"at", "is"}:
        raise FormatError(_WHAT, f'{where}: row: expected {{"at": ..., "is": ...}}')
    place = FieldPlace(_place(value["at"], f"{where}: row: at"))
    return place, _one_of(value["is"], ROW_NAMES, f"{where}: row: is")


def _parse_fields(value: Any, where: str, zone: str) -> dict[str, FieldPlace]:
    if type(value) is not dict:
        raise FormatError(_WHAT, f"{where}: fields: expected an object")
    found = {}
    for name, place in cast("dict[str, Any]", value).items():
        _one_of(name, FIELDS, f"{where}: fields")
        found[name] = _parse_field(name, place, f"{where}: fields: {name}", zone)
    return found


def _parse_field(name: str, value: Any, where: str, zone: str) -> FieldPlace:
    if name in TEXT_LIMITS:
        return FieldPlace(_place(value, where))
    record = {"at": value} if type(value) is str else value
    if type(record) is not dict or "at" not in record:
        raise FormatError(_WHAT, f'{where}: expected {{"at": ..., "format": ..., "zone": ...}}')
    writing = {key: each for key, each in record.items() if key != "at"}
    return FieldPlace(
        _place(record["at"], where), parse_time_writing(writing, what=_WHAT, field=where, zone=zone)
    )


def _place(value: Any, where: str) -> str:
    text = check_text(value, what=_WHAT, field=where, pattern=LINE)
    return text or _missing(where)
