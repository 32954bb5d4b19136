"""Footage and journals damaged at random: nothing is believed that the camera did not sign."""

import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.capture import parse_journal_line
from plainview.verify.capture import check_capture
from plainview.verify.capture_journal import PlacedLine, prove_journal
from plainview.verify.errors import VerificationError
from simulators.capture_attacks import MADE, put, without_boxes
from simulators.journals import CAMERA, SigningCamera, SimulatedRecording


def checked(footage, journal=None):
    return check_capture(io.BytesIO(footage), camera=CAMERA, public_key=MADE.public_key, journal=journal)


def prove(lines, key=MADE.public_key):
    placed = [PlacedLine(f"{number}", line) for number, line in enumerate(lines)]
    return prove_journal(placed, camera=None, stream=None, public_key=key)


def as_signed(report, made: SimulatedRecording):
    """Say whether all that a report calls OK is what the camera signed."""
    leaves = {leaf.seq: leaf for leaf in made.leaves}
    known = all(event == leaves[event.seq] for event in report.events)
    known &= report.start in (None, made.start) and report.stop in (None, made.leaves[-1])
    for finding in report.fragments:
        if finding.verdict == "OK":
            leaf = leaves[finding.seq]
            known &= (leaf.position_ms, leaf.size_bytes) == (finding.begins_ms, finding.size_bytes)
    return known


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=1), st.integers(1, 40), st.integers(0, 12))
def test_any_lines_prove_what_each_would_prove_alone(seed, count, missing):
    chance = random.Random(seed)
    made = SigningCamera(seed=1).record(fragments=count)
    kept = chance.sample(made.lines, max(len(made.lines) - missing, 1))
    proven = prove(kept, made.public_key)
    assert sorted(proven.lines) == sorted(parse_journal_line(line).leaf.seq for line in kept)
    assert (proven.refused, proven.forked_at) == ((), ())
    assert set(proven.used) == set(kept)


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=1), st.integers(0, 6), st.integers(1, 6))
def test_with_lines_missing_and_signatures_damaged_nothing_is_proven_that_was_not_signed(
    seed, missing, damaged
):
    chance = random.Random(seed)
    lines = chance.sample(MADE.lines, len(MADE.lines) - missing)
    for number in range(min(damaged, len(lines))):
        end = lines[number].rindex(b"=")
        lines[number] = put(lines[number], end - 9, b"A" if lines[number][end - 9] != 65 else b"B")
    proven = prove(lines)
    for seq, line in proven.lines.items():
        assert line.leaf == MADE.leaves[seq]
    alone = {seq for seq, line in enumerate(MADE.lines) if line in lines}
    assert alone <= proven.lines.keys()


def test_of_300_flipped_bits_in_a_journal_none_is_believed():
    chance = random.Random(300)
    bare = without_boxes(MADE)
    for _ in range(300):
        at, bit = chance.randrange(len(MADE.journal)), chance.randrange(8)
        mutant = put(MADE.journal, at, bytes([MADE.journal[at] ^ 1 << bit]))
        report = checked(bare, mutant.split(b"\n")[:-1])
        assert as_signed(report, MADE)
        assert report.verdict.word != "OK"


def test_of_300_flipped_bits_in_footage_none_is_believed():
    chance = random.Random(301)
    unseen = 0
    for _ in range(300):
        at, bit = chance.randrange(len(MADE.footage)), chance.randrange(8)
        mutant = put(MADE.footage, at, bytes([MADE.footage[at] ^ 1 << bit]))
        report = checked(mutant)
        assert as_signed(report, MADE)
        for finding in report.fragments:
            if finding.verdict == "OK":
                begin, end = finding.offset, finding.offset + finding.size_bytes
                assert not begin <= at < end
        if report.verdict.word == "OK":
            # Only in a signature that a later one covers.
            line = next(number for number, (begin, end) in enumerate(MADE.boxes) if begin <= at < end)
            begin, end = MADE.boxes[line]
            assert at >= MADE.footage.rindex(b" ", begin, end)
            assert line < len(MADE.lines) - 1
            unseen += 1
    assert unseen < 30


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_footage_cut_up_and_put_together_raises_nothing_but_a_verification_error(data):
    footage = MADE.footage
    for _ in range(data.draw(st.integers(1, 4))):
        at, cut = data.draw(st.integers(0, len(footage))), data.draw(st.integers(0, 3000))
        new = data.draw(
            st.sampled_from([b"", b"\0" * 8, MADE.footage[232:1500], b"uuid", bytes(4) + b"mdat"])
        )
        footage = footage[:at] + new + footage[at + cut :]
    try:
        report = checked(footage)
    except VerificationError:
        return
    assert as_signed(report, MADE)
    assert report.verdict.word != "OK" or footage == MADE.footage
