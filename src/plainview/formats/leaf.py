"""Custody leaves: one entry of the custody log, what was done to what, by whom, when.

Example (one line on the wire):
    {"act":"recording.received","actor":"user:3f9c0d5b7a1e4c22","at":"2026-03-15T06:52:07.300Z","detail":null,
    "facts":{"chunk_root":"...","object":"...","sha256":"...","size_bytes":2411585},"object":"R-26-00004217-I",
    "outcome":"ok","seq":11,"session":null,"v":1,"why":null}

Whatever could name a person (names, addresses, titles, reasons in words) is in `detail` or `session`, as a salted
commitment: the words live in a row that can be lawfully destroyed, and the log still checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Mapping, Union

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import HEX_32_BYTES, LINE, check_count, check_record, check_text
from plainview.formats.tiles import ENTRY_LIMIT_BYTES
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

# The closed vocabulary: what can be done, each with the sentence a reader of the log sees.
ACTS: Mapping[str, str] = {
    "log.started": "The custody log was started.",
    "log.epoch": "A new custody log continues one that could not go on.",
    "recording.received": "The original was received, stored, read back and compared.",
    "recording.offered_again": "The same bytes were offered again; no new recording was made.",
    "recording.probed": "The original was examined: its streams, and which seconds each part of the file holds.",
    "file.quarantined": "A file that cannot be used as a recording was kept, with the reason.",
    "object.adopted": "Stored bytes that no record named, left by an interruption, were taken into the records.",
    "package.exported": "A package for a named recipient was made.",
    "keys.rotated": "The master key was replaced.",
    "backup.made": "A backup was made.",
    "backup.restored": "The records were restored from a backup.",
    "user.added": "A person who logs in was added.",
    "role.granted": "A role was given to a person.",
    "role.ended": "A role was taken from a person.",
    "unit.added": "A unit was added.",
    "officer.added": "An officer was added to the roster.",
    "unit.assigned": "An officer's unit was set for a span of time.",
    "device.added": "A device was added.",
    "device.assigned": "A device's wearer was set for a span of time.",
    "wearer.set": "The wearer of a recording was set or corrected.",
    "recording.opened": "A person opened the recording to watch it.",
    "recording.restricted": "The recording was restricted: its existence is shown, its content is not.",
    "recording.unrestricted": "The restriction of the recording was lifted.",
    "derivative.made": "Something derived from the original was made: a viewing copy, a storyboard, a waveform.",
    "transcript.made": "A machine wrote down the speech in the original, or a sample transcript was attached.",
    "upload.begun": "A person began to hand in a file.",
    "upload.dropped": "A file that was being handed in was given up before it was whole.",
    "task.opened": "The system asked a person something.",
    "task.closed": "A person answered what the system had asked.",
    "user.signed_in": "A person signed in.",
    "user.locked_out": "A person was locked out after failed attempts to sign in.",
    "user.factor_added": "A person added a second factor to sign in with.",
    "user.factor_removed": "A person's second factor was removed.",
    "user.password_set": "A person's password was set.",
    "user.closed": "A person can no longer sign in.",
    "user.reopened": "A person can sign in again.",
    "officer.user_set": "The person who logs in as an officer on the roster was set.",
    "camera.admitted": "A camera's own key was admitted: what it signs counts as that camera's.",
    "camera.refused": "A camera that asked to be admitted was refused.",
    "camera.revoked": "A camera's own key counts no longer: it is lost, or was replaced.",
    "camera.docked": "A camera was put into a dock, and its clock was compared.",
    "camera.settings_set": "How cameras record was set, from a moment on.",
    "camera.covert_set": "Somebody was allowed, or no longer, to record without lights and sounds.",
    "dock.added": "A dock was added.",
    "dock.closed": "A dock may no longer hand in anything.",
    "offload.begun": "A dock began to hand in a file from a camera.",
    "offload.dropped": "A file from a camera was given up before it was whole; the camera still has it.",
    "journal.received": "A camera's journal of a shift was received, stored, read back and compared.",
    "attachment.received": "A file that belongs to a recording was received: a journal, a key, a track, a report.",
    "capture.checked": "What the camera signed while it recorded was compared with the footage.",
    "capture.missing": "A camera's own count shows a recording that was not handed in.",
    "destination.made": "A connection for cameras of another maker was made.",
    "destination.closed": "A connection for cameras of another maker may no longer hand in anything.",
    "destination.refused": "What a connected system offered was refused, with the reason.",
}
OUTCOMES = frozenset({"ok", "denied", "error"})

LEAF_KEYS = frozenset(
    {"v", "seq", "at", "act", "object", "actor", "outcome", "why", "facts", "session", "detail"}
)
ACTOR = re.compile(r"(user:[0-9a-f]{16}|system:[a-z-]{1,32})\Z", re.ASCII)
OBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}\Z", re.ASCII)
CODE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
SALT_BYTES = 32

Fact = Union[str, int]


@dataclass(frozen=True)
class CustodyLeaf:
    """One entry of the custody log.

    Attributes:
        seq: its index in the log, counted from 0.
        at: when the act was done, by the server's clock; aware, UTC, milliseconds.
        act: a key of ACTS.
        object: what it was done to: an identifier, or kind:id; never a name.
        actor: user:<pseudonym> or system:<part>.
        outcome: ok, denied or error.
        why: a reason code, or None.
        facts: what anyone may read: digests, sizes, indices; a text is one line of at most 500 characters.
        session: commitment to address, session and factors, 64 hex digits, or None.
        detail: commitment to what could name a person, 64 hex digits, or None.
    """

    seq: int
    at: datetime
    act: str
    object: str
    actor: str
    outcome: str
    why: str | None
    facts: Mapping[str, Fact]
    session: str | None
    detail: str | None


def format_leaf(leaf: CustodyLeaf) -> bytes:
    """Write a custody leaf.

    Raises:
        FormatError: a field that parse_leaf would refuse, or more than 65,535 bytes.
    """
    _check_leaf(leaf)
    data = canonical_json(
        {
            "v": 1,
            "seq": leaf.seq,
            "at": format_at(leaf.at),
            "act": leaf.act,
            "object": leaf.object,
            "actor": leaf.actor,
            "outcome": leaf.outcome,
            "why": leaf.why,
            "facts": dict(leaf.facts),
            "session": leaf.session,
            "detail": leaf.detail,
        }
    )
    if len(data) > ENTRY_LIMIT_BYTES:
        raise FormatError("custody leaf", f"expected at most {ENTRY_LIMIT_BYTES} bytes, got {len(data)}")
    return data


def parse_leaf(data: bytes) -> CustodyLeaf:
    """Read a custody leaf.

    Raises:
        FormatError: not canonical, a key missing or unknown, an act outside the vocabulary, a malformed field.
    """
    plain = _parse_plain_leaf(data)
    return _parse_any_leaf(data) if plain is None else plain


def _parse_any_leaf(data: bytes) -> CustodyLeaf:
    what = "custody leaf"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=ENTRY_LIMIT_BYTES), what=what, keys=LEAF_KEYS
    )
    if type(record["facts"]) is not dict:
        raise FormatError(what, "facts: expected an object")
    leaf = CustodyLeaf(
        seq=record["seq"],
        at=parse_at(record["at"], what=what),
        act=record["act"],
        object=record["object"],
        actor=record["actor"],
        outcome=record["outcome"],
        why=record["why"],
        facts=record["facts"],
        session=record["session"],
        detail=record["detail"],
    )
    _check_leaf(leaf)
    return leaf


# Most leaves are printable ASCII without escapes. Of those, exactly what this matches, with its facts in order, is
# what format_leaf writes; reading them so takes a third of the time. A test holds both ways of reading together.
_PLAIN_FACT = r'"[a-z][a-z0-9_]{0,63}":(?:"[ !#-\[\]-~]{0,500}"|0|-?[1-9][0-9]{0,14})'
_PLAIN_LEAF = re.compile(
    r'\{"act":"([a-z._]+)","actor":"(user:[0-9a-f]{16}|system:[a-z-]{1,32})",'
    r'"at":"([0-9T:.-]+Z)","detail":(?:null|"([0-9a-f]{64})"),'
    r'"facts":\{((?:' + _PLAIN_FACT + "(?:," + _PLAIN_FACT + r")*)?)\},"
    r'"object":"([A-Za-z0-9][A-Za-z0-9._:/+-]{0,127})","outcome":"(ok|denied|error)",'
    r'"seq":(0|[1-9][0-9]{0,14}),"session":(?:null|"([0-9a-f]{64})"),"v":1,'
    r'"why":(?:null|"([a-z][a-z0-9_]{0,63})")\}\Z',
    re.ASCII,
)
_PLAIN_FACTS = re.compile(r'"([a-z0-9_]+)":(?:"([^"]*)"|([0-9-]+))')


def _parse_plain_leaf(data: bytes) -> CustodyLeaf | None:
    """Read a leaf of printable ASCII without escapes; None sends any other, and any wrong one, the long way."""
    match = _PLAIN_LEAF.match(data.decode("latin-1")) if len(data) <= ENTRY_LIMIT_BYTES else None
    if match is None:
        return None
    act, actor, at, detail, facts, object_, outcome, seq, session, why = match.groups()
    found = _PLAIN_FACTS.findall(facts)
    names = [name for name, _, _ in found]
    if act not in ACTS or names != sorted(set(names)):
        return None
    return CustodyLeaf(
        seq=int(seq),
        at=parse_at(at, what="custody leaf"),
        act=act,
        object=object_,
        actor=actor,
        outcome=outcome,
        why=why,
        facts={name: int(number) if number else text for name, text, number in found},
        session=session,
        detail=detail,
    )


def _check_leaf(leaf: CustodyLeaf) -> None:
    what = "custody leaf"
    check_count(leaf.seq, what=what, field="seq")
    if type(leaf.act) is not str or leaf.act not in ACTS:
        raise FormatError(
            what, f"act: {leaf.act!r:.60} is not in the vocabulary; a newer Plainview may have written it"
        )
    if type(leaf.outcome) is not str or leaf.outcome not in OUTCOMES:
        raise FormatError(what, f"outcome: expected ok, denied or error, got {leaf.outcome!r:.60}")
    check_text(leaf.object, what=what, field="object", pattern=OBJECT)
    check_text(leaf.actor, what=what, field="actor", pattern=ACTOR)
    if leaf.why is not None:
        check_text(leaf.why, what=what, field="why", pattern=CODE)
    for field, value in (("session", leaf.session), ("detail", leaf.detail)):
        if value is not None:
            check_text(value, what=what, field=field, pattern=HEX_32_BYTES)
    for name, fact in leaf.facts.items():
        check_text(name, what=what, field="facts", pattern=CODE)
        if type(fact) is not int:
            check_text(fact, what=what, field=f"facts: {name}", pattern=LINE)


def commitment(*, salt: bytes, words: dict[str, Any]) -> str:
    """Return the 64 hex digits that stand in a leaf for words kept elsewhere.

    Args:
        salt: 32 random bytes, kept and disclosed with the words.
        words: a record canonical JSON can hold.

    Raises:
        FormatError: a salt of another length, or words canonical JSON cannot hold.
    """
    if len(salt) != SALT_BYTES:
        raise FormatError("commitment", f"expected a salt of {SALT_BYTES} bytes, got {len(salt)}")
    return sha256(salt + canonical_json(words)).hexdigest()
