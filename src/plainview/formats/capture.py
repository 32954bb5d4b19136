r"""Capture journals: what a camera signs while it records, so that each fragment of a recording proves itself.

A journal is a small log of its own (one tree, RFC 6962): its first leaf says what begins, one leaf follows a fragment,
others say what happened, the last one closes it. Each line holds a leaf and its inclusion proof in the tree as it was
just then, so a line stands alone, wherever it is found. The same lines lie in a file beside the footage and, each in a
box of its own, inside it.

Example (one line of a journal, wrapped here):
    {"leaf":{"at":"2026-03-15T06:52:07.300Z","bytes":501322,"duration_ms":2000,"mono_ms":81223,"offset":1380,
    "phase":"recording","position_ms":4000,"sealed_sha256":"...","seq":3,"sha256":"...","sound":"on","t":"fragment",
    "v":1},"proof":"c2sp.org/tlog-proof@v1\nindex 3\n..."}

Times are the camera's own: `at` by its clock, `mono_ms` since it was switched on, `position_ms` since the first frame.

Source: the design follows c2sp.org/tlog-proof and RFC 6962; docs/formats/capture.md has the reasons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, Union

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.checkpoint import parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.fields import (
    HEX_32_BYTES,
    LINE,
    check_count,
    check_record,
    check_text,
)
from plainview.formats.note import ED25519, VerifierKey, parse_note
from plainview.formats.proof import LogProof, format_proof, parse_proof
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

CAPTURE_LINE_LIMIT_BYTES = 16_384
# The user type of the boxes that carry journal lines inside the footage (ISO/IEC 14496-12 section 11.1).
JOURNAL_BOX = bytes.fromhex("4c1c2a5d9f0e4b7f8f6d3a70b2e95c11")
# A journal's id: its counter, and eight random digits, in case a camera's memory of its counter is ever lost.
STREAM_ID = re.compile(r"[0-9]{6,9}-[0-9a-f]{8}\Z", re.ASCII)
CAMERA_NAME = re.compile(r"cam\.[a-z0-9][a-z0-9.-]{0,99}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}\Z", re.ASCII)

PURPOSES = ("recording", "function_check", "shift")
CAPTURE_CLOCKS = ("unset", "rtc", "ntp", "gps", "dock", "simulated")
WORN_POSITIONS = ("chest", "belt", "head", "shoulder", "car", "other", "unknown")
PHASES = ("buffer", "recording", "post")
SOUNDS = ("on", "off", "muted", "absent")
# What starts a recording, each with the sentence a person reads.
TRIGGERS: Mapping[str, str] = {
    "button": "The wearer pressed the button.",
    "light_bar": "The light bar of a car was switched on.",
    "holster": "A weapon was drawn from its holster.",
    "weapon_log": "A conducted energy weapon was armed or fired.",
    "nearby_camera": "A camera close by began to record.",
    "remote": "Somebody started it from elsewhere.",
    "function_check": "The check at the start of the shift.",
}
# What a journal can say happened, each with the sentence a person reads.
EVENTS: Mapping[str, str] = {
    "state": "The camera went into another state.",
    "light": "The light began to show something else.",
    "trigger": "Something asked for a recording.",
    "marker": "The wearer set a marker.",
    "press": "The button was pressed.",
    "muted": "The sound was muted.",
    "unmuted": "The sound was switched on again.",
    "covert_on": "Lights and sounds were switched off, as somebody had allowed.",
    "covert_off": "Lights and sounds were switched on again.",
    "reminder": "The camera reminded its wearer that it records.",
    "clock_stepped": "The camera's clock jumped.",
    "clock_set": "The camera's clock was set.",
    "battery": "The charge of the battery.",
    "storage_low": "The storage was nearly full.",
    "storage_full": "The storage was full.",
    "source_lost": "Picture or sound stopped coming.",
    "source_back": "Picture or sound came again.",
    "docked": "The camera was put into a dock.",
    "undocked": "The camera was taken from a dock.",
    "settings": "The camera took new settings.",
    "checked": "The check at the start of the shift ended.",
    "recovered": "A recording was found that a loss of power had ended.",
    "fault": "Something failed.",
}
# Why a journal was closed, each with the sentence a person reads.
STOPS: Mapping[str, str] = {
    "button": "The wearer held the button.",
    "remote": "Somebody stopped it from elsewhere.",
    "docked": "The camera was put into a dock.",
    "power_off": "The camera was switched off.",
    "battery": "The battery was empty.",
    "storage_full": "The storage was full.",
    "source_lost": "Picture and sound stopped coming.",
    "longest": "It had reached the greatest length and goes on in the next recording.",
    "checked": "The check at the start of the shift was done.",
    "end": "There was nothing more to record.",
    "fault": "Something failed.",
}

CaptureFact = Union[str, int]


@dataclass(frozen=True)
class PreviousJournal:
    """The journal a camera wrote before this one, so that a missing one shows.

    Attributes:
        stream: its id.
        size: how many leaves it had when this one began.
        root: of its tree then, 64 hex digits.
    """

    stream: str
    size: int
    root: str


@dataclass(frozen=True)
class InitSegment:
    """The bytes in front of the first fragment: how many, and their SHA-256 in hex, as footage and as sealed."""

    size_bytes: int
    sha256: str
    sealed_sha256: str


@dataclass(frozen=True)
class CaptureStart:
    """The first leaf: what begins, on which camera.

    Attributes:
        at: by the camera's clock; aware UTC.
        mono_ms: since the camera was switched on.
        purpose: one of PURPOSES; "shift" is the state journal, which has no footage.
        serial: of the camera. make: of it. model: of it. firmware: what runs on it.
        boot: how often the camera has been switched on, this time included.
        counter: how many journals it has begun, this one included; they follow each other without a gap.
        previous: the journal before; None for the camera's first.
        clock: one of CAPTURE_CLOCKS: what its clock was last set by.
        zone: IANA zone of the place.
        worn: one of WORN_POSITIONS.
        trigger: a key of TRIGGERS; empty for a shift.
        trigger_at: when that came, by the camera's clock; None for a shift.
        buffer_ms: how much of the time before the trigger is kept.
        buffer_setting_ms: how much would be, had the camera been on long enough.
        has_buffer_sound: whether that time has sound.
        init: what stands in front of the fragments; None for a shift.
    """

    at: datetime
    mono_ms: int
    purpose: str
    serial: str
    make: str
    model: str
    firmware: str
    boot: int
    counter: int
    previous: PreviousJournal | None
    clock: str
    zone: str
    worn: str
    trigger: str
    trigger_at: datetime | None
    buffer_ms: int
    buffer_setting_ms: int
    has_buffer_sound: bool
    init: InitSegment | None

    @property
    def seq(self) -> int:
        """Its place in the journal."""
        return 0


@dataclass(frozen=True)
class CaptureFragment:
    """A leaf for a fragment: one or two seconds of footage, on the camera's disk when this was signed.

    Attributes:
        seq: its place in the journal.
        at: of its first frame, by the camera's clock; aware UTC.
        mono_ms: the same, since the camera was switched on.
        position_ms: the same, since the recording's first frame.
        duration_ms: of its frames.
        offset: where its bytes begin in the footage.
        size_bytes: how many there are.
        sha256: of them, 64 hex digits.
        sealed_sha256: of them as sealed on the camera (formats.sealed_file), 64 hex digits.
        phase: one of PHASES: before the trigger, during, after the stop.
        sound: one of SOUNDS.
    """

    seq: int
    at: datetime
    mono_ms: int
    position_ms: int
    duration_ms: int
    offset: int
    size_bytes: int
    sha256: str
    sealed_sha256: str
    phase: str
    sound: str


@dataclass(frozen=True)
class CaptureEvent:
    """A leaf that says what happened.

    Attributes:
        seq: its place in the journal.
        at: by the camera's clock; aware UTC.
        mono_ms: since the camera was switched on.
        position_ms: since the recording's first frame; None in a shift's journal.
        event: a key of EVENTS.
        facts: more of it: codes, counts, one line of text; never a person's name.
    """

    seq: int
    at: datetime
    mono_ms: int
    position_ms: int | None
    event: str
    facts: Mapping[str, CaptureFact]


@dataclass(frozen=True)
class CaptureStop:
    """The last leaf: nothing more belongs to this journal.

    Attributes:
        seq: its place in the journal, and so how many leaves stand before it.
        at: by the camera's clock; aware UTC.
        mono_ms: since the camera was switched on.
        fragments: how many there were.
        duration_ms: of all of them.
        size_bytes: of the footage up to the end of the last fragment, journal boxes before it included.
        reason: a key of STOPS.
    """

    seq: int
    at: datetime
    mono_ms: int
    fragments: int
    duration_ms: int
    size_bytes: int
    reason: str


CaptureLeaf = Union[CaptureStart, CaptureFragment, CaptureEvent, CaptureStop]

_COMMON = {"v", "t", "seq", "at", "mono_ms"}
_CAPTURE_KEYS = {
    "start": frozenset(
        _COMMON
        | {"purpose", "serial", "make", "model", "firmware", "boot", "counter", "previous", "clock", "zone"}
        | {"worn", "trigger", "trigger_at", "buffer_ms", "buffer_setting_ms", "has_buffer_sound", "init"}
    ),
    "fragment": frozenset(
        _COMMON
        | {"position_ms", "duration_ms", "offset", "bytes", "sha256", "sealed_sha256"}
        | {"phase", "sound"}
    ),
    "event": frozenset(_COMMON | {"position_ms", "event", "facts"}),
    "stop": frozenset(_COMMON | {"fragments", "duration_ms", "bytes", "reason"}),
}
_PREVIOUS_KEYS = frozenset({"stream", "size", "root"})
_INIT_KEYS = frozenset({"bytes", "sha256", "sealed_sha256"})


def format_capture_leaf(leaf: CaptureLeaf) -> bytes:
    """Write a leaf of a capture journal.

    Raises:
        FormatError: a field that parse_capture_leaf would refuse.
    """
    data = canonical_json(_capture_record(leaf))
    if parse_capture_leaf(data) != leaf:
        raise FormatError(
            "capture leaf", "a time is not whole milliseconds in UTC, or a field changes when read"
        )
    return data


def _capture_record(leaf: CaptureLeaf) -> dict[str, Any]:
    record: dict[str, Any] = {"v": 1, "seq": leaf.seq, "at": format_at(leaf.at), "mono_ms": leaf.mono_ms}
    if isinstance(leaf, CaptureStart):
        return {**record, "t": "start", **_start_record(leaf)}
    if isinstance(leaf, CaptureFragment):
        names = (
            "position_ms",
            "duration_ms",
            "offset",
            "sha256",
            "sealed_sha256",
            "phase",
            "sound",
        )
        return {
            **record,
            "t": "fragment",
            "bytes": leaf.size_bytes,
            **{name: getattr(leaf, name) for name in names},
        }
    if isinstance(leaf, CaptureEvent):
        return {
            **record,
            "t": "event",
            "position_ms": leaf.position_ms,
            "event": leaf.event,
            "facts": dict(leaf.facts),
        }
    return {
        **record,
        "t": "stop",
        "fragments": leaf.fragments,
        "duration_ms": leaf.duration_ms,
        "bytes": leaf.size_bytes,
        "reason": leaf.reason,
    }


def _start_record(leaf: CaptureStart) -> dict[str, Any]:
    names = (
        "purpose",
        "serial",
        "make",
        "model",
        "firmware",
        "boot",
        "counter",
        "clock",
        "zone",
        "worn",
        "trigger",
    )
    record = {name: getattr(leaf, name) for name in names}
    record["trigger_at"] = None if leaf.trigger_at is None else format_at(leaf.trigger_at)
    for name in ("buffer_ms", "buffer_setting_ms", "has_buffer_sound"):
        record[name] = getattr(leaf, name)
    record["previous"] = record["init"] = None
    if leaf.previous is not None:
        record["previous"] = {
            "stream": leaf.previous.stream,
            "size": leaf.previous.size,
            "root": leaf.previous.root,
        }
    if leaf.init is not None:
        record["init"] = {
            "bytes": leaf.init.size_bytes,
            "sha256": leaf.init.sha256,
            "sealed_sha256": leaf.init.sealed_sha256,
        }
    return record


def parse_capture_leaf(data: bytes) -> CaptureLeaf:
    """Read a leaf of a capture journal.

    Raises:
        FormatError: not canonical, of an unknown kind, a key missing or unknown, a malformed field.
    """
    what = "capture leaf"
    return _parse_capture_record(parse_canonical_json(data, what=what, limit_bytes=CAPTURE_LINE_LIMIT_BYTES))


def _parse_capture_record(value: Any) -> CaptureLeaf:
    what = "capture leaf"
    kind = value.get("t") if type(value) is dict else None
    if type(kind) is not str or kind not in _CAPTURE_KEYS:
        raise FormatError(what, f"t: expected one of {', '.join(_CAPTURE_KEYS)}, got {kind!r:.40}")
    record = check_record(value, what=what, keys=_CAPTURE_KEYS[kind])
    seq = check_count(record["seq"], what=what, field="seq")
    at, mono_ms = parse_at(record["at"], what=what), _count(record, "mono_ms")
    if kind == "start":
        return _parse_start(record, seq, at, mono_ms)
    if seq == 0:
        raise FormatError(what, f"seq: only a start is number 0, this is a {kind}")
    if kind == "fragment":
        return _parse_fragment(record, seq, at, mono_ms)
    if kind == "event":
        return _parse_event(record, seq, at, mono_ms)
    return CaptureStop(
        seq=seq,
        at=at,
        mono_ms=mono_ms,
        fragments=_count(record, "fragments"),
        duration_ms=_count(record, "duration_ms"),
        size_bytes=_count(record, "bytes"),
        reason=_word(record, "reason", STOPS),
    )


def _parse_start(record: dict[str, Any], seq: int, at: datetime, mono_ms: int) -> CaptureStart:
    what = "capture leaf"
    purpose = _word(record, "purpose", PURPOSES)
    has_footage = purpose != "shift"
    if (
        seq != 0
        or (record["init"] is not None) != has_footage
        or (record["trigger_at"] is not None) != has_footage
    ):
        raise FormatError(what, f"a start is number 0, and only a shift has no footage: this is a {purpose}")
    if type(record["has_buffer_sound"]) is not bool:
        raise FormatError(what, "has_buffer_sound: expected true or false")
    return CaptureStart(
        at=at,
        mono_ms=mono_ms,
        purpose=purpose,
        boot=_count(record, "boot", at_least=1),
        counter=_count(record, "counter", at_least=1),
        previous=_parse_previous(record["previous"]),
        clock=_word(record, "clock", CAPTURE_CLOCKS),
        worn=_word(record, "worn", WORN_POSITIONS),
        trigger=_word(record, "trigger", TRIGGERS) if has_footage else _word(record, "trigger", ("",)),
        trigger_at=parse_at(record["trigger_at"], what=what) if has_footage else None,
        buffer_ms=_count(record, "buffer_ms"),
        buffer_setting_ms=_count(record, "buffer_setting_ms"),
        has_buffer_sound=record["has_buffer_sound"],
        init=_parse_init(record["init"]),
        **{
            field: check_text(record[field], what=what, field=field, pattern=LINE)
            for field in ("serial", "make", "model", "firmware", "zone")
        },
    )


def _parse_previous(value: Any) -> PreviousJournal | None:
    what = "capture leaf"
    if value is None:
        return None
    record = check_record(value, what=what, keys=_PREVIOUS_KEYS)
    return PreviousJournal(
        stream=check_text(record["stream"], what=what, field="previous: stream", pattern=STREAM_ID),
        size=check_count(record["size"], what=what, field="previous: size", at_least=1),
        root=check_text(record["root"], what=what, field="previous: root", pattern=HEX_32_BYTES),
    )


def _parse_init(value: Any) -> InitSegment | None:
    if value is None:
        return None
    record = check_record(value, what="capture leaf", keys=_INIT_KEYS)
    return InitSegment(
        size_bytes=_count(record, "bytes", at_least=1),
        sha256=_digest(record, "sha256"),
        sealed_sha256=_digest(record, "sealed_sha256"),
    )


def _parse_fragment(record: dict[str, Any], seq: int, at: datetime, mono_ms: int) -> CaptureFragment:
    return CaptureFragment(
        seq=seq,
        at=at,
        mono_ms=mono_ms,
        position_ms=_count(record, "position_ms"),
        duration_ms=_count(record, "duration_ms"),
        offset=_count(record, "offset", at_least=1),
        size_bytes=_count(record, "bytes", at_least=1),
        sha256=_digest(record, "sha256"),
        sealed_sha256=_digest(record, "sealed_sha256"),
        phase=_word(record, "phase", PHASES),
        sound=_word(record, "sound", SOUNDS),
    )


def _parse_event(record: dict[str, Any], seq: int, at: datetime, mono_ms: int) -> CaptureEvent:
    what = "capture leaf"
    facts = record["facts"]
    if type(facts) is not dict:
        raise FormatError(what, "facts: expected an object")
    for name, fact in facts.items():
        check_text(name, what=what, field="facts", pattern=_WORD)
        if type(fact) is not int:
            check_text(fact, what=what, field=f"facts: {name}", pattern=LINE)
    position_ms = None if record["position_ms"] is None else _count(record, "position_ms")
    return CaptureEvent(seq, at, mono_ms, position_ms, _word(record, "event", EVENTS), facts)


def _count(record: dict[str, Any], field: str, *, at_least: int = 0) -> int:
    return check_count(record[field], what="capture leaf", field=field, at_least=at_least)


def _digest(record: dict[str, Any], field: str) -> str:
    return check_text(record[field], what="capture leaf", field=field, pattern=HEX_32_BYTES)


def _word(record: dict[str, Any], field: str, known: Any) -> str:
    word = check_text(record[field], what="capture leaf", field=field)
    if word not in known:
        raise FormatError(
            "capture leaf", f"{field}: {word!r:.40} is unknown; a newer camera may have written it"
        )
    return word


# --- lines


@dataclass(frozen=True)
class JournalLine:
    """A leaf with the proof that stands beside it.

    Attributes:
        entry: the leaf, byte for byte.
        leaf: the same, read.
        proof: that it is the last entry of the journal as it was just then.
    """

    entry: bytes
    leaf: CaptureLeaf
    proof: LogProof


def make_journal_line(leaf: CaptureLeaf, proof: LogProof) -> JournalLine:
    """Put a leaf and its proof together.

    Raises:
        FormatError: a malformed leaf, or a proof for another place or another size of the journal.
    """
    _check_last(leaf, proof)
    return JournalLine(entry=format_capture_leaf(leaf), leaf=leaf, proof=proof)


def format_journal_line(line: JournalLine) -> bytes:
    """Write a line, without the newline that ends it in a file.

    Raises:
        FormatError: an entry or proof that parse_journal_line would refuse, or a line that is too long.
    """
    # Canonical JSON of a record holds the canonical JSON of its parts, so the leaf's own bytes stand in the line.
    proof = canonical_json(format_proof(line.proof))
    data = b'{"leaf":' + line.entry + b',"proof":' + proof + b"}"
    parse_journal_line(data)
    return data


def parse_journal_line(data: bytes) -> JournalLine:
    """Read a line; nothing is verified here.

    Raises:
        FormatError: not canonical, a malformed leaf or proof, or a proof for another place or another size.
    """
    what = "journal line"
    value = parse_canonical_json(data, what=what, limit_bytes=CAPTURE_LINE_LIMIT_BYTES)
    record = check_record(value, what=what, keys=frozenset({"leaf", "proof"}))
    leaf = _parse_capture_record(record["leaf"])
    proof = parse_proof(check_text(record["proof"], what=what, field="proof"))
    _check_last(leaf, proof)
    return JournalLine(entry=canonical_json(record["leaf"]), leaf=leaf, proof=proof)


def _check_last(leaf: CaptureLeaf, proof: LogProof) -> None:
    size = parse_checkpoint(parse_note(proof.note).text).size
    if not leaf.seq == proof.index == size - 1:
        raise FormatError(
            "journal line",
            f"leaf {leaf.seq} should be the last of its tree; the proof is for {proof.index} in one of {size}",
        )


def format_journal_box(line: bytes) -> bytes:
    """Wrap a line into the box that stands behind what it speaks for, inside the footage.

    Source: ISO/IEC 14496-12 section 4.2 (a `uuid` box).
    """
    return (24 + len(line)).to_bytes(4, "big") + b"uuid" + JOURNAL_BOX + line


def check_camera_name(name: str) -> str:
    """Return name if a camera can be called so: cam.<department's host name>/<serial number>.

    Raises:
        FormatError: it cannot.
    """
    return check_text(name, what="camera name", field="name", pattern=CAMERA_NAME)


def journal_origin(camera: str, stream: str) -> str:
    """Return what a journal's checkpoints begin with: the camera's name and the journal's id."""
    check_text(stream, what="journal origin", field="stream", pattern=STREAM_ID)
    return f"{check_camera_name(camera)}/{stream}"


def journal_key(origin: str, public_key: bytes) -> VerifierKey:
    """Return a camera's key as it signs one journal: each journal's checkpoints bear the journal's own name.

    Args:
        origin: as journal_origin returns it.
        public_key: the camera's, 32 bytes.
    """
    return VerifierKey(name=origin, algorithm=ED25519, public_key=public_key)
