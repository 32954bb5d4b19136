"""Check footage against what its camera signed while it recorded: each fragment gets a word, and so does the whole."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO, Iterable, Iterator, Mapping

from plainview.formats.capture import (
    CAPTURE_LINE_LIMIT_BYTES,
    CaptureEvent,
    CaptureFragment,
    CaptureStart,
    CaptureStop,
    PreviousJournal,
)
from plainview.verify.capture_boxes import (
    MAX_JOURNAL_BOXES,
    MAX_JOURNAL_BYTES,
    FoundBox,
    find_journal_boxes,
    scan_journal_boxes,
)
from plainview.verify.capture_fragments import (
    FragmentFinding,
    SignedFootage,
    find_missing_time,
    find_unproven_bytes,
    init_bytes_of,
    judge_fragments,
    judge_init,
)
from plainview.verify.capture_journal import PlacedLine, ProvenJournal, RefusedLine, prove_journal
from plainview.verify.errors import UnreadableError
from plainview.verify.verdicts import (
    ALTERED,
    NOT_CLOSED,
    OK,
    SIGNER_UNKNOWN,
    UNPROVEN,
    Verdict,
    gravest,
)


@dataclass(frozen=True)
class CaptureProblem:
    """What else keeps the whole from being OK: a verdict, and why."""

    verdict: str
    text: str


@dataclass(frozen=True)
class CaptureReport:
    """What a check of footage against its camera's journal found.

    Attributes:
        camera: its name, as the journal has it; empty where no line counts.
        stream: the journal's id; empty as well.
        start: the first leaf, if it is here and signed.
        stop: the last leaf; without it the recording is not closed.
        events: what the journal says happened, in its order.
        init_verdict: on what stands in front of the first fragment; OK for a shift, which has no footage.
        fragments: a finding for each signed fragment, and for what no leaf speaks for, by time.
        refused: lines that count for nothing.
        gaps: places in the journal of which no line is here that checks, as first and last.
        problems: what else was found.
        roots: the journal's root, 32 bytes, at each size that is signed.
        is_signer_known: whether the given key signed.
        key_id: of the key that signed, 8 hex digits; empty where no line counts.
    """

    camera: str
    stream: str
    start: CaptureStart | None
    stop: CaptureStop | None
    events: tuple[CaptureEvent, ...]
    init_verdict: str
    fragments: tuple[FragmentFinding, ...]
    refused: tuple[RefusedLine, ...]
    gaps: tuple[tuple[int, int], ...]
    problems: tuple[CaptureProblem, ...]
    roots: Mapping[int, bytes]
    is_signer_known: bool
    key_id: str

    @property
    def verdict(self) -> Verdict:
        """On the whole: the gravest of all, NOT CLOSED without a stop, SIGNER UNKNOWN without a known key."""
        words = [OK, self.init_verdict, *(each.verdict for each in self.fragments)]
        words += [each.verdict for each in self.problems]
        if self.refused or self.gaps:
            words.append(UNPROVEN)
        if self.stop is None:
            words.append(NOT_CLOSED)
        if not self.is_signer_known:
            words.append(SIGNER_UNKNOWN)
        return gravest(words)

    @property
    def is_closed(self) -> bool:
        """Whether the camera said that this is all."""
        return self.stop is not None

    @property
    def previous(self) -> PreviousJournal | None:
        """The journal the camera wrote before this one, as it signed; capture_chain compares."""
        return None if self.start is None else self.start.previous

    @property
    def fragment_count(self) -> int:
        """How many fragments there were, as the last leaf says; without it, how many findings there are."""
        signed = sum(each.seq is not None for each in self.fragments)
        return len(self.fragments) if self.stop is None else max(signed, self.stop.fragments)

    @property
    def proven_count(self) -> int:
        """How many fragments are as signed."""
        return sum(each.verdict == OK for each in self.fragments)


def check_capture(
    footage: BinaryIO | None,
    *,
    camera: str | None = None,
    stream: str | None = None,
    public_key: bytes | None = None,
    journal: Iterable[bytes] | None = None,
) -> CaptureReport:
    """Check footage against the lines inside it and beside it, taken together.

    Args:
        footage: seekable, with its boxes; None for a shift's journal.
        camera: whose it should be, cam.<host>/<serial>; None if whatever it says will do.
        stream: id of the journal it should be; None for the one that most lines are of.
        public_key: the camera's, 32 bytes, from somewhere else; None where nobody gave it.
        journal: lines from beside the footage, with or without newlines; None for those inside alone.

    Raises:
        UnreadableError: the footage or the journal cannot be read, or the journal has more than MAX_JOURNAL_BOXES
            lines or MAX_JOURNAL_BYTES.

    Source: docs/formats/capture.md, "How it is checked".
    """
    try:
        return _check_whole(footage or io.BytesIO(), camera, stream, public_key, journal)
    except OSError as error:
        raise UnreadableError("footage", f"cannot be read: {error.strerror or error}") from error


def _check_whole(
    footage: BinaryIO,
    camera: str | None,
    stream: str | None,
    public_key: bytes | None,
    journal: Iterable[bytes] | None,
) -> CaptureReport:
    size_bytes = footage.seek(0, io.SEEK_END)
    boxes, is_whole = find_journal_boxes(footage, size_bytes)
    beside = list(_lines_beside(journal or ()))

    def prove() -> ProvenJournal:
        lines = [*_lines_inside(boxes), *beside]
        return prove_journal(lines, camera=camera, stream=stream, public_key=public_key)

    found = prove()
    if not is_whole or find_gaps(found) or found.refused or _stop_of(found) is None:
        # A size that lies hides boxes from whoever walks from one to the next.
        boxes = scan_journal_boxes(footage, size_bytes)
        found = prove()
    problems = [] if found.lines else [CaptureProblem(UNPROVEN, _nothing_signed(found))]
    if found.lines and public_key is not None and not found.is_signer_known:
        problems.append(
            CaptureProblem(
                SIGNER_UNKNOWN,
                f"The key given for {found.origin.rpartition('/')[0]} is not the key that signed: either the wrong "
                "key was given, or somebody else made this and used the camera's name.",
            )
        )
    return _capture_report(_signed_footage(footage, size_bytes, found, boxes), found, problems)


def _nothing_signed(found: ProvenJournal) -> str:
    if not found.refused:
        return "No line of a camera's journal is inside it or beside it."
    return "No line of a camera's journal that is here checks."


def _lines_inside(boxes: Iterable[FoundBox]) -> Iterator[PlacedLine]:
    for box in boxes:
        yield PlacedLine(f"footage, byte {box.begins_at}", box.line)


def _lines_beside(journal: Iterable[bytes]) -> Iterator[PlacedLine]:
    read_bytes = 0
    for number, line in enumerate(journal, 1):
        read_bytes += len(line)
        if number > MAX_JOURNAL_BOXES or read_bytes > MAX_JOURNAL_BYTES:
            problem = (
                f"expected at most {MAX_JOURNAL_BOXES} lines and {MAX_JOURNAL_BYTES} bytes, and it goes on"
            )
            raise UnreadableError("journal", problem)
        yield PlacedLine(f"journal, line {number}", line[:-1] if line.endswith(b"\n") else line)


def read_journal_lines(file: BinaryIO) -> Iterator[bytes]:
    """Read the lines of a journal file, in memory that does not grow with it."""
    while True:
        line = file.readline(CAPTURE_LINE_LIMIT_BYTES + 2)
        if not line:
            return
        yield line


def find_gaps(journal: ProvenJournal) -> tuple[tuple[int, int], ...]:
    """Return the places in a journal of which no line checks, as first and last; what comes after all is not known."""
    gaps, expected = [], 0
    for seq in journal.lines:
        if seq > expected:
            gaps.append((expected, seq - 1))
        expected = seq + 1
    return tuple(gaps)


def _stop_of(journal: ProvenJournal) -> CaptureStop | None:
    return next((line.leaf for line in journal.lines.values() if isinstance(line.leaf, CaptureStop)), None)


def _signed_footage(
    footage: BinaryIO, size_bytes: int, journal: ProvenJournal, boxes: Iterable[FoundBox]
) -> SignedFootage:
    box_ends: dict[int, int] = {}
    box_of: dict[int, int] = {}
    for box in boxes:
        if box.line in journal.used:
            box_ends[box.begins_at] = box.ends_at
            box_of.setdefault(journal.used[box.line], box.begins_at)
    return SignedFootage(footage, size_bytes, box_ends, box_of)


def _capture_report(
    made: SignedFootage, journal: ProvenJournal, problems: list[CaptureProblem]
) -> CaptureReport:
    leaves = [line.leaf for line in journal.lines.values()]
    start = leaves[0] if leaves and isinstance(leaves[0], CaptureStart) else None
    stop = _stop_of(journal)
    fragments = [leaf for leaf in leaves if isinstance(leaf, CaptureFragment)]
    gaps = find_gaps(journal)
    findings = judge_fragments(made, fragments, init_bytes_of(start))
    findings += find_unproven_bytes(made, findings, init_bytes_of(start))
    findings += find_missing_time(findings, gaps, stop)
    camera, _, stream = journal.origin.rpartition("/")
    problems += _problems(journal, start, stop, findings)
    if stop is not None and not gaps and stop.fragments != len(fragments):
        text = f"Its last entry counts {stop.fragments} fragments, and it has {len(fragments)}."
        problems.append(CaptureProblem(UNPROVEN, text))
    return CaptureReport(
        camera=camera,
        stream=stream,
        start=start,
        stop=stop,
        events=tuple(leaf for leaf in leaves if isinstance(leaf, CaptureEvent)),
        init_verdict=_init_verdict(made, start),
        fragments=tuple(sorted(findings, key=_by_time)),
        refused=journal.refused,
        gaps=gaps,
        problems=tuple(problems),
        roots=journal.roots,
        is_signer_known=journal.is_signer_known,
        key_id=journal.key_id,
    )


def _init_verdict(made: SignedFootage, start: CaptureStart | None) -> str:
    if start is None:
        return UNPROVEN
    return OK if start.init is None else judge_init(made, start.init)


def _by_time(finding: FragmentFinding) -> tuple[int, int]:
    return -1 if finding.begins_ms is None else finding.begins_ms, finding.offset or 0


def _problems(
    journal: ProvenJournal,
    start: CaptureStart | None,
    stop: CaptureStop | None,
    findings: Iterable[FragmentFinding],
) -> Iterator[CaptureProblem]:
    camera, _, stream = journal.origin.rpartition("/")
    for seq in journal.forked_at:
        yield CaptureProblem(ALTERED, f"The camera signed two histories: they differ at entry {seq}.")
    moved = sum(each.moved_bytes != 0 for each in findings)
    if moved:
        text = f"{moved} fragments are as signed and not where the camera put them: something was cut, added or moved."
        yield CaptureProblem(ALTERED, text)
    if stop is not None and max(journal.lines) > stop.seq:
        yield CaptureProblem(ALTERED, f"The journal goes on behind entry {stop.seq}, which closed it.")
    if start is not None and (start.serial, start.counter) != (
        camera.partition("/")[2],
        int(stream.partition("-")[0]),
    ):
        text = (
            f"It is signed as {stream} of {camera}, and begins as number {start.counter} of {start.serial}."
        )
        yield CaptureProblem(UNPROVEN, text)
