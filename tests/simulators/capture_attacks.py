"""Attacks on a recording and on the journal its camera signed."""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from plainview.formats.capture import (
    CaptureFragment,
    format_capture_leaf,
    format_journal_box,
    parse_capture_leaf,
)
from plainview.verify.capture import check_capture
from plainview.verify.capture_chain import check_journal_chain, journal_link
from plainview.verify.errors import VerificationError
from plainview.verify.verdicts import OK, VERDICTS
from simulators.attacks import Row
from simulators.journals import (
    CAMERA,
    FRAGMENT_BYTES,
    JournalWriter,
    SigningCamera,
    SimulatedRecording,
    digest,
)

ROWS: list[Row] = []
# What an attacker may do and gains nothing by: everything is still what the camera signed.
NO_HARM = "no harm"
ALONE, CHAIN = "A recording that its camera signed", "A camera's recordings, one after another"
_CAMERA = SigningCamera()
EARLIER = _CAMERA.record(fragments=6)
MADE = _CAMERA.record(fragments=6, events=((2, "marker"),))
LATER = _CAMERA.record(fragments=2)
OTHER_KEY = SigningCamera(seed=2)
OTHER_CAMERA = SigningCamera("cam.example.org/SN43", seed=3).record(fragments=6)


@dataclass(frozen=True)
class Altered:
    """What an attacker hands over: footage, the journal beside it if any, and what whoever checks knows."""

    footage: bytes
    journal: Iterable[bytes] | None = None
    public_key: bytes | None = MADE.public_key
    camera: str | None = CAMERA


def attack(number: str, verdict: str):
    """Register a function that makes an altered recording of MADE as one row."""

    def register(do: Callable[[], Altered]):
        def run(_scratch: Path) -> tuple[str, str]:
            handed = do()
            try:
                report = check_capture(
                    io.BytesIO(handed.footage),
                    camera=handed.camera,
                    public_key=handed.public_key,
                    journal=handed.journal,
                )
            except VerificationError:
                return "cannot check", "exit code 2"
            counts = Counter(each.verdict for each in report.fragments)
            tally = ", ".join(f"{counts[each.word]} {each.word}" for each in VERDICTS if counts[each.word])
            word = NO_HARM if verdict == NO_HARM and report.verdict.word == OK else report.verdict.word
            return word, f"fragments: {tally}"

        ROWS.append(Row(number, do.__doc__.strip().rstrip("."), verdict, run, ALONE))
        return do

    return register


def put(data: bytes, offset: int, new: bytes) -> bytes:
    """Return data with new bytes written over its own."""
    return data[:offset] + new + data[offset + len(new) :]


def flipped(data: bytes, offset: int) -> bytes:
    """Return data with one bit flipped."""
    return put(data, offset, bytes([data[offset] ^ 1]))


def with_its_box(made: SimulatedRecording, number: int) -> tuple[int, int]:
    """Return where a fragment, counted from 0, begins, and where the boxes behind it end."""
    begins = [begin for begin, _ in made.spans]
    return begins[number], [*begins, len(made.footage)][number + 1]


def without_boxes(made: SimulatedRecording) -> bytes:
    """Return footage without its journal."""
    parts = [made.footage[: made.boxes[0][0]], *(made.footage[begin:end] for begin, end in made.spans)]
    return b"".join(parts)


def blanked(made: SimulatedRecording, boxes: Iterable[int]) -> bytes:
    """Return footage in which these lines are noughts, in boxes of the same size."""
    data = made.footage
    for number in boxes:
        begin, end = made.boxes[number]
        data = put(data, begin + 24, bytes(end - begin - 24))
    return data


def resigned(made: SimulatedRecording, signer: SigningCamera, *, footage: bytes | None = None) -> bytes:
    """Return footage whose journal somebody signed anew: the same leaves, another key."""
    writer = JournalWriter(signer.private, made.camera, made.stream)
    data = made.footage if footage is None else footage
    for (begin, end), leaf in zip(made.boxes, made.leaves, strict=True):
        box = format_journal_box(writer.add(leaf))
        assert len(box) == end - begin
        data = put(data, begin, box)
    return data


@attack("C01", "ALTERED")
def fragment_altered():
    """One bit of a fragment is flipped."""
    return Altered(flipped(MADE.footage, MADE.spans[2][0] + 200))


@attack("C02", "ALTERED")
def fragment_of_another_recording():
    """A fragment is replaced by one of the same length that the same camera recorded earlier."""
    begin, end = EARLIER.spans[3]
    return Altered(put(MADE.footage, MADE.spans[3][0], EARLIER.footage[begin:end]))


@attack("C03", "MISSING")
def end_cut():
    """The end of the footage is cut off, and the journal beside it is whole."""
    return Altered(MADE.footage[: MADE.spans[4][0] + 50], MADE.lines)


@attack("C04", "NOT CLOSED")
def end_cut_with_lines():
    """The end of the footage is cut off with the lines of what is gone, as a loss of power leaves it."""
    return Altered(MADE.footage[: with_its_box(MADE, 3)[1]])


@attack("C05", "ALTERED")
def fragment_cut_out():
    """A fragment is cut out together with its line."""
    begin, end = with_its_box(MADE, 3)
    return Altered(MADE.footage[:begin] + MADE.footage[end:])


@attack("C06", "ALTERED")
def fragments_exchanged():
    """Two fragments change places, each with its line."""
    (first, middle), (_, last) = with_its_box(MADE, 3), with_its_box(MADE, 4)
    data = MADE.footage
    return Altered(data[:first] + data[middle:last] + data[first:middle] + data[last:])


@attack("C07", "ALTERED")
def fragment_doubled():
    """A fragment is shown twice, each time with its line."""
    begin, end = with_its_box(MADE, 3)
    return Altered(MADE.footage[:end] + MADE.footage[begin:])


@attack("C08", "UNPROVEN")
def something_appended():
    """A fragment that nobody signed is appended."""
    begin, end = EARLIER.spans[0]
    return Altered(MADE.footage + EARLIER.footage[begin:end])


@attack("C09", "UNPROVEN")
def line_damaged():
    """One letter of a line inside the footage is changed, and there is no journal beside it."""
    return Altered(flipped(MADE.footage, MADE.boxes[3][0] + 60))


@attack("C10", "ALTERED")
def boxes_removed():
    """All lines are taken out of the footage, and the journal beside it is whole."""
    return Altered(without_boxes(MADE), MADE.lines)


@attack("C11", "UNPROVEN")
def boxes_blanked():
    """All lines inside the footage are overwritten with noughts, and the journal beside it is whole."""
    return Altered(blanked(MADE, range(len(MADE.boxes))), MADE.lines)


@attack("C12", "UNPROVEN")
def boxes_gone_and_no_journal():
    """All lines are taken out of the footage, and there is no journal."""
    return Altered(without_boxes(MADE))


@attack("C13", "UNPROVEN")
def journal_of_another_recording():
    """The journal beside it is that of another recording of the same camera."""
    return Altered(MADE.footage, EARLIER.lines)


@attack("C14", "ALTERED")
def only_the_journal_of_another_recording():
    """The lines inside are overwritten with noughts, and the journal beside it is that of another recording."""
    return Altered(blanked(MADE, range(len(MADE.boxes))), EARLIER.lines)


@attack("C15", NO_HARM)
def journal_shuffled():
    """The lines of the journal beside it are shuffled: their places are inside what is signed."""
    return Altered(MADE.footage, random.Random(1).sample(MADE.lines, len(MADE.lines)))


@attack("C16", NO_HARM)
def half_a_journal():
    """The journal beside it is cut in half, and the lines inside are whole."""
    return Altered(MADE.footage, MADE.lines[:4])


@attack("C17", "UNPROVEN")
def older_journal_replayed():
    """The later lines inside are overwritten with noughts, and an older, shorter journal lies beside."""
    return Altered(blanked(MADE, range(4, len(MADE.boxes))), MADE.lines[:4])


@attack("C18", "UNPROVEN")
def first_line_gone():
    """The first line is overwritten with noughts: what begins, and what stands before the first fragment."""
    return Altered(blanked(MADE, [0]))


@attack("C19", "NOT CLOSED")
def last_line_gone():
    """The last line is cut off."""
    return Altered(MADE.footage[: MADE.boxes[-1][0]])


@attack("C20", "ALTERED")
def init_altered():
    """What stands before the first fragment is changed."""
    return Altered(flipped(MADE.footage, 100))


@attack("C21", "ALTERED")
def box_swallows_the_rest():
    """The size of a box is made so large that it seems to hold all that follows."""
    begin = MADE.spans[2][0] + 108
    return Altered(put(MADE.footage, begin, (len(MADE.footage) - begin).to_bytes(4, "big")))


@attack("C22", "ALTERED")
def box_without_end():
    """A box says that it goes on to the end of the footage."""
    return Altered(put(MADE.footage, MADE.spans[2][0] + 108, bytes(4)))


@attack("C23", "ALTERED")
def box_beyond_the_end():
    """A box says that it is 2^64 - 1 bytes long."""
    begin = MADE.spans[2][0] + 108
    return Altered(put(MADE.footage, begin, (1).to_bytes(4, "big") + b"mdat" + b"\xff" * 8))


@attack("C24", "UNPROVEN")
def time_in_a_line_altered():
    """The hour in a line is changed, in footage and journal alike."""

    def later(data: bytes) -> bytes:
        return data.replace(b'"at":"2026-03-15T07:01:18', b'"at":"2026-03-15T09:01:18')

    assert later(MADE.footage) != MADE.footage
    return Altered(later(MADE.footage), [later(line) for line in MADE.lines])


@attack("C25", "UNPROVEN")
def proofs_exchanged():
    """Two lines exchange their proofs."""
    (first, second), marks = MADE.lines[1:3], b',"proof":'
    head_1, proof_1 = first.split(marks)
    head_2, proof_2 = second.split(marks)
    swapped = (head_1 + marks + proof_2, head_2 + marks + proof_1)
    return Altered(blanked(MADE, [1, 2]), [*swapped, *MADE.lines[3:]])


@attack("C26", NO_HARM)
def covered_signature_damaged():
    """A letter of a signature in the middle is changed: a later signature covers what it covered."""
    line = MADE.boxes[2][1]
    return Altered(put(MADE.footage, line - 40, b"A" if MADE.footage[line - 40] != 65 else b"B"))


@attack("C27", "UNPROVEN")
def last_signature_damaged():
    """A letter of the last signature is changed."""
    line = MADE.boxes[-1][1]
    return Altered(put(MADE.footage, line - 40, b"A" if MADE.footage[line - 40] != 65 else b"B"))


@attack("C28", "SIGNER UNKNOWN")
def signed_anew():
    """A fragment is changed, and the whole journal is made to fit and signed with another key."""
    begin, end = MADE.spans[2]
    changed = flipped(MADE.footage, begin + 200)
    leaves = list(MADE.leaves)
    at = next(
        n for n, leaf in enumerate(leaves) if isinstance(leaf, CaptureFragment) and leaf.offset == begin
    )
    leaves[at] = replace(leaves[at], sha256=digest(changed[begin:end]))
    made = replace(MADE, leaves=tuple(leaves))
    return Altered(resigned(made, OTHER_KEY, footage=changed))


@attack("C29", "SIGNER UNKNOWN")
def signed_by_whom():
    """Nothing is changed, and whoever checks has no key."""
    return Altered(MADE.footage, public_key=None)


@attack("C30", "UNPROVEN")
def one_line_signed_anew():
    """The later lines are signed with another key, the earlier ones are the camera's."""
    changed = resigned(MADE, OTHER_KEY)
    cut = MADE.boxes[4][0]
    return Altered(MADE.footage[:cut] + changed[cut:])


@attack("C31", "ALTERED")
def two_histories():
    """Whoever holds the camera's key signs another end of the same recording, and hands over both."""
    writer = JournalWriter(_CAMERA.private, MADE.camera, MADE.stream)
    for leaf in MADE.leaves[:3]:
        writer.add(leaf)
    told_otherwise = replace(MADE.leaves[3], mono_ms=MADE.leaves[3].mono_ms + 1)
    return Altered(MADE.footage, [writer.add(told_otherwise)])


@attack("C32", "ALTERED")
def behind_the_end():
    """Whoever holds the camera's key adds to a journal that was closed."""
    writer = JournalWriter(_CAMERA.private, MADE.camera, MADE.stream)
    for leaf in MADE.leaves:
        writer.add(leaf)
    more = replace(MADE.leaves[3], seq=len(MADE.leaves), position_ms=MADE.leaves[-2].position_ms)
    return Altered(MADE.footage, [writer.add(parse_capture_leaf(format_capture_leaf(more)))])


@attack("C33", "UNPROVEN")
def another_camera():
    """The recording is another camera's, whole and signed."""
    return Altered(OTHER_CAMERA.footage)


@attack("C34", "cannot check")
def journal_without_end():
    """The journal beside it has a line more than a hundred thousand."""
    return Altered(MADE.footage, (b"%d" % number for number in range(100_001)))


@attack("C35", "UNPROVEN")
def noise():
    """The footage is noise in which the journal's mark stands at every place it can."""
    mark = format_journal_box(b"")[4:]
    return Altered((b"\xff" * FRAGMENT_BYTES + mark * 100)[: 10 * FRAGMENT_BYTES])


def _chained(number: str, do: Callable[[], tuple[SimulatedRecording, ...]]) -> None:
    def run(_scratch: Path) -> tuple[str, str]:
        reports = [check_capture(io.BytesIO(each.footage), public_key=each.public_key) for each in do()]
        chain = check_journal_chain(link for link in map(journal_link, reports) if link)
        if chain.missing:
            return "found", "missing: number " + ", ".join(str(first) for first, _ in chain.missing)
        kinds = "; ".join(chain.problems)
        return ("found", kinds.replace("|", "/")) if chain.problems else ("not found", "")

    ROWS.append(Row(number, do.__doc__.strip().rstrip("."), "found", run, CHAIN))


def recording_left_out():
    """A recording between two others is left out."""
    return EARLIER, LATER


def recording_made_up():
    """Whoever holds the camera's key makes up a recording and gives it the number and name of the true one."""
    leaves = (*MADE.leaves[:-1], replace(MADE.leaves[-1], mono_ms=MADE.leaves[-1].mono_ms + 1))
    return EARLIER, replace(MADE, footage=resigned(replace(MADE, leaves=leaves), _CAMERA)), LATER


def end_cut_off():
    """The end of a recording is cut off with its lines, and the next one is here."""
    return EARLIER, replace(MADE, footage=MADE.footage[: with_its_box(MADE, 3)[1]]), LATER


_chained("C40", recording_left_out)
_chained("C41", recording_made_up)
_chained("C42", end_cut_off)
