"""Find signed fragments in footage, and what of the footage no leaf speaks for."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, Iterable, Iterator, Mapping, Sequence, Tuple

from plainview.verify.verdicts import ALTERED, MISSING, OK, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.capture import CaptureFragment, CaptureStart, CaptureStop, InitSegment

# First byte, and the one after the last.
ByteSpan = Tuple[int, int]
_HASHED_BYTES = 1 << 20
# Cameras count in whole milliseconds; frames do not.
_ROUNDING_MS = 100


@dataclass(frozen=True)
class FragmentFinding:
    """The verdict on one fragment, or on bytes or time that no leaf here speaks for.

    Attributes:
        verdict: OK, ALTERED, MISSING or UNPROVEN.
        begins_ms: since the recording's first frame; None where nothing tells.
        ends_ms: the same.
        seq: place of its leaf in the journal; None where there is no leaf that checks.
        offset: where its bytes are in the footage; None where there are none.
        size_bytes: how many of them are there.
        moved_bytes: how many bytes they are from where the camera put them; negative is nearer to the beginning.
        reason: why, in words; empty where it is OK.
    """

    verdict: str
    begins_ms: int | None
    ends_ms: int | None
    seq: int | None
    offset: int | None
    size_bytes: int
    moved_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True)
class SignedFootage:
    """Footage, and the boxes in it that hold lines which check.

    Attributes:
        footage: seekable.
        size_bytes: of it.
        box_ends: from where such a box begins to where it ends.
        box_of: from a leaf's place in the journal to where its first box begins.
    """

    footage: BinaryIO
    size_bytes: int
    box_ends: Mapping[int, int]
    box_of: Mapping[int, int]


def judge_init(made: SignedFootage, init: InitSegment) -> str:
    """Return the verdict on what stands in front of the first fragment."""
    if init.size_bytes > made.size_bytes:
        return MISSING
    return OK if _has_digest(made, 0, init.size_bytes, init.sha256) else ALTERED


def judge_fragments(
    made: SignedFootage, fragments: Sequence[CaptureFragment], init_bytes: int
) -> list[FragmentFinding]:
    """Find each fragment where the camera put it, or elsewhere if something before it was cut out or put in.

    However many a hostile journal names, no more is read than three times the footage.

    Args:
        made: the footage.
        fragments: signed ones, in their order.
        init_bytes: how much stands in front of them.
    """
    places: dict[int, int] = {}
    after = reached = init_bytes
    spare_bytes = 2 * made.size_bytes
    for fragment in fragments:
        # A camera writes one behind the other.
        place = _find_at(made, fragment, [fragment.offset] if fragment.offset >= reached else [])
        reached = max(reached, fragment.offset + fragment.size_bytes)
        if place is None:
            others = _other_places(made, fragment, _behind_boxes(made, after))
            spare_bytes -= len(others) * fragment.size_bytes
            place = _find_at(made, fragment, others if spare_bytes >= 0 else [])
        after = (fragment.offset if place is None else place) + fragment.size_bytes
        if place is not None:
            places[fragment.seq] = place
    taken = sorted(
        [(places[each.seq], places[each.seq] + each.size_bytes) for each in fragments if each.seq in places]
        + list(made.box_ends.items())
    )
    return [_finding(made, fragment, places.get(fragment.seq), taken) for fragment in fragments]


def _other_places(made: SignedFootage, fragment: CaptureFragment, after: int) -> list[int]:
    """Return where else a fragment may be: in front of its own box, or behind the fragment before it."""
    places = {after}
    if fragment.seq in made.box_of:
        places.add(made.box_of[fragment.seq] - fragment.size_bytes)
    places.discard(fragment.offset)
    return sorted(place for place in places if 0 <= place <= made.size_bytes - fragment.size_bytes)


def _find_at(made: SignedFootage, fragment: CaptureFragment, places: Iterable[int]) -> int | None:
    for place in places:
        if place <= made.size_bytes - fragment.size_bytes and _has_digest(
            made, place, fragment.size_bytes, fragment.sha256
        ):
            return place
    return None


def _behind_boxes(made: SignedFootage, position: int) -> int:
    while position in made.box_ends:
        position = made.box_ends[position]
    return position


def _finding(
    made: SignedFootage, fragment: CaptureFragment, place: int | None, taken: Sequence[ByteSpan]
) -> FragmentFinding:
    size_bytes, ends_ms = fragment.size_bytes, fragment.position_ms + fragment.duration_ms
    found = FragmentFinding(
        OK, fragment.position_ms, ends_ms, fragment.seq, place, size_bytes, (place or 0) - fragment.offset
    )
    if place is not None:
        return found
    box = made.box_of.get(fragment.seq)
    place = fragment.offset if box is None or box < size_bytes else box - size_bytes
    left_bytes = min(size_bytes, made.size_bytes - place)
    if left_bytes <= 0 or _is_taken(taken, place, place + left_bytes):
        return replace(
            found, verdict=MISSING, size_bytes=0, moved_bytes=0, reason="nothing of it is in the footage"
        )
    if left_bytes < size_bytes:
        reason = f"only {left_bytes} of its {size_bytes} bytes are left"
        return replace(
            found, verdict=MISSING, offset=place, size_bytes=left_bytes, moved_bytes=0, reason=reason
        )
    reason = "its bytes are not those that were signed"
    return replace(found, verdict=ALTERED, offset=place, moved_bytes=0, reason=reason)


def _is_taken(taken: Sequence[ByteSpan], begin: int, end: int) -> bool:
    at = bisect_right(taken, (begin, end))
    return any(first < end and begin < last for first, last in taken[max(at - 1, 0) : at + 1])


def _has_digest(made: SignedFootage, offset: int, size_bytes: int, digest: str) -> bool:
    made.footage.seek(offset)
    hashed = sha256()
    while size_bytes:
        piece = made.footage.read(min(size_bytes, _HASHED_BYTES))
        if not piece:
            return False
        hashed.update(piece)
        size_bytes -= len(piece)
    return hashed.hexdigest() == digest


def find_unproven_bytes(
    made: SignedFootage, findings: Sequence[FragmentFinding], init_bytes: int
) -> Iterator[FragmentFinding]:
    """Find what of the footage no leaf speaks for, such as something appended, each run with the time around it.

    Args:
        made: the footage.
        findings: of its signed fragments.
        init_bytes: how much stands in front of them and is spoken for.
    """
    here = sorted((each for each in findings if each.offset is not None), key=lambda each: each.offset or 0)
    begins = [each.offset or 0 for each in here]
    known = [(0, init_bytes), *made.box_ends.items()]
    known += [(each.offset or 0, (each.offset or 0) + each.size_bytes) for each in here]
    for begin, end in _between(known, made.size_bytes):
        at = bisect_right(begins, begin)
        yield FragmentFinding(
            UNPROVEN,
            here[at - 1].ends_ms if at else (0 if here else None),
            here[at].begins_ms if at < len(here) else None,
            None,
            begin,
            end - begin,
            reason=f"no entry that checks speaks for bytes {begin} to {end - 1}",
        )


def _between(known: Iterable[ByteSpan], size_bytes: int) -> Iterator[ByteSpan]:
    position = 0
    for begin, end in sorted(known):
        if begin > position:
            yield position, min(begin, size_bytes)
        position = max(position, end)
    if position < size_bytes:
        yield position, size_bytes


def find_missing_time(
    findings: Sequence[FragmentFinding], gaps: Sequence[tuple[int, int]], stop: CaptureStop | None
) -> Iterator[FragmentFinding]:
    """Find time of which neither bytes nor a leaf are here: where the journal has a gap, and the clock went on.

    Args:
        findings: of signed fragments in their order, and of bytes no leaf speaks for.
        gaps: places of which no line checks, as first and last.
        stop: the last leaf, if it is here.
    """
    signed = [each for each in findings if each.seq is not None]
    unproven = {each.begins_ms for each in findings if each.seq is None}
    for first, last in gaps:
        before = max((each.ends_ms or 0 for each in signed if (each.seq or 0) < first), default=0)
        after = min((each.begins_ms or 0 for each in signed if (each.seq or 0) > last), default=None)
        if after is None and stop is not None:
            after = stop.duration_ms
        if after is not None and after > before + _ROUNDING_MS and before not in unproven:
            yield FragmentFinding(
                MISSING, before, after, None, None, 0, reason="neither its bytes nor its entry are here"
            )


def init_bytes_of(start: CaptureStart | None) -> int:
    """Return how many bytes stand in front of the first fragment, as far as that is signed."""
    return 0 if start is None or start.init is None else start.init.size_bytes
