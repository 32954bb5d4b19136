import io
from dataclasses import replace

import pytest

from plainview.formats.capture import (
    CAPTURE_LINE_LIMIT_BYTES,
    CaptureFragment,
    InitSegment,
    format_journal_box,
    format_journal_line,
    parse_journal_line,
)
from plainview.formats.errors import FormatError
from plainview.formats.note import NoteSignature, SignedNote, format_note, parse_note
from plainview.verify import capture, capture_boxes, capture_journal
from plainview.verify.capture import check_capture, read_journal_lines
from plainview.verify.capture_boxes import find_journal_boxes, scan_journal_boxes
from plainview.verify.capture_journal import PlacedLine, prove_journal
from plainview.verify.ed25519 import verify_ed25519
from plainview.verify.errors import SignatureError, UnreadableError
from simulators.capture_attacks import MADE, blanked, flipped, put, with_its_box, without_boxes
from simulators.journals import (
    CAMERA,
    FRAGMENT_MS,
    JournalWriter,
    SigningCamera,
    box,
)

KEY = MADE.public_key
FRAGMENT_SEQS = [leaf.seq for leaf in MADE.leaves if isinstance(leaf, CaptureFragment)]


def checked(footage, journal=None, *, key=KEY, camera=CAMERA, stream=None):
    data = None if footage is None else io.BytesIO(footage)
    return check_capture(data, camera=camera, stream=stream, public_key=key, journal=journal)


def words(report):
    return [finding.verdict for finding in report.fragments]


def signed_anew(camera, made, leaves):
    """Return footage in which these leaves stand instead, signed with the camera's own key."""
    writer = JournalWriter(camera.private, made.camera, made.stream)
    data, at = bytearray(made.footage[: made.boxes[0][0]]), dict(enumerate(made.spans))
    for leaf in leaves:
        if isinstance(leaf, CaptureFragment):
            begin, end = at.pop(min(at))
            leaf = replace(leaf, offset=len(data))  # noqa: PLW2901 - the same leaf, where it now is
            data += made.footage[begin:end]
        data += format_journal_box(writer.add(leaf))
    return bytes(data)


# What is as the camera made it.


def test_a_recording_is_ok_by_the_lines_inside_it():
    report = checked(MADE.footage)
    assert (report.verdict.word, report.is_closed, report.init_verdict) == ("OK", True, "OK")
    assert words(report) == ["OK"] * 6
    assert (report.fragment_count, report.proven_count) == (6, 6)
    assert (report.camera, report.stream) == (MADE.camera, MADE.stream)
    assert (report.start, report.stop) == (MADE.leaves[0], MADE.leaves[-1])
    assert [event.event for event in report.events] == ["marker"]
    assert report.previous == MADE.start.previous
    assert (report.refused, report.gaps, report.problems) == ((), (), ())


def test_a_recording_is_ok_by_the_lines_beside_it_as_a_file_has_them():
    report = checked(MADE.footage, io.BytesIO(MADE.journal))
    assert report.verdict.word == "OK"


def test_each_fragment_says_when_and_where_it_is():
    finding = checked(MADE.footage).fragments[2]
    assert (finding.begins_ms, finding.ends_ms) == (2 * FRAGMENT_MS, 3 * FRAGMENT_MS)
    assert (finding.offset, finding.offset + finding.size_bytes) == MADE.spans[2]


def test_a_shift_is_a_journal_without_footage():
    shift = SigningCamera().record(purpose="shift", events=((0, "state"), (0, "light")))
    report = checked(None, shift.lines, key=shift.public_key)
    assert (report.verdict.word, len(report.events), report.fragments) == ("OK", 2, ())


def test_the_roots_are_those_the_next_recording_may_name():
    report = checked(MADE.footage)
    assert report.roots[MADE.as_previous.size].hex() == MADE.as_previous.root
    assert sorted(report.roots) == list(range(1, len(MADE.lines) + 1))


def test_a_recording_that_power_ended_is_not_closed_and_counts_what_is_there():
    camera = SigningCamera()
    made = camera.record(fragments=3, is_closed=False)
    report = checked(made.footage, key=made.public_key)
    assert (report.verdict.word, report.fragment_count, report.proven_count) == ("NOT CLOSED", 3, 3)


# Whose word counts.


def test_without_a_key_the_signer_is_unknown():
    report = checked(MADE.footage, key=None)
    assert (report.verdict.word, report.is_signer_known, words(report)) == (
        "SIGNER UNKNOWN",
        False,
        ["OK"] * 6,
    )


def test_a_key_that_did_not_sign_is_pointed_out():
    report = checked(MADE.footage, key=SigningCamera(seed=9).public_key)
    assert report.verdict.word == "SIGNER UNKNOWN"
    assert "is not the key that signed" in report.problems[0].text


def test_lines_of_another_key_do_not_count_beside_the_camera_s():
    other = JournalWriter(SigningCamera(seed=9).private, MADE.camera, MADE.stream)
    report = checked(MADE.footage, [other.add(MADE.leaves[0])])
    assert report.verdict.word == "UNPROVEN"
    assert "another key" in report.refused[0].reason


def test_a_line_of_another_camera_is_named():
    report = checked(MADE.footage, SigningCamera("cam.example.org/SN43", seed=1).record().lines)
    assert "of the camera cam.example.org/SN43, not of cam.example.org/SN42" in report.refused[0].reason


def test_a_recording_that_is_not_the_one_asked_for_is_named():
    report = checked(MADE.footage, stream="000001-00000000")
    assert report.verdict.word == "UNPROVEN"
    assert f"recording {MADE.stream}, not of 000001-00000000" in report.refused[0].reason
    assert report.problems[0].text == "No line of a camera's journal that is here checks."


def test_of_two_recordings_in_one_the_one_with_more_lines_counts():
    camera = SigningCamera()
    more, fewer = camera.record(fragments=3), camera.record(fragments=2)
    report = checked(None, [*fewer.lines, *more.lines], key=camera.public_key)
    assert (report.stream, len(report.refused)) == (more.stream, len(fewer.lines))
    assert "of another recording" in report.refused[0].reason


def test_a_journal_may_speak_only_in_a_camera_s_name():
    note = parse_note(parse_journal_line(MADE.lines[0]).proof.note)
    for text, name in ((note.text.replace("cam.", "car.", 1), "car"), (note.text, "somebody")):
        signed = format_note(SignedNote(text, (NoteSignature(name, b"1234", bytes(64)),)))
        line = parse_journal_line(MADE.lines[0])
        data = format_journal_line(replace(line, proof=replace(line.proof, note=signed)))
        report = checked(None, [data], camera=None)
        assert report.refused[0].reason.startswith("journal line: ")


# Damage stays where it is.


@pytest.mark.parametrize("number", range(6))
def test_one_bit_of_a_fragment_alters_that_fragment_alone(number):
    report = checked(flipped(MADE.footage, MADE.spans[number][0] + 300))
    assert report.verdict.word == "ALTERED"
    assert words(report) == ["OK"] * number + ["ALTERED"] + ["OK"] * (5 - number)


@pytest.mark.parametrize("number", range(6))
def test_a_line_lost_leaves_that_fragment_alone_unproven(number):
    report = checked(blanked(MADE, [FRAGMENT_SEQS[number]]))
    assert report.verdict.word == "UNPROVEN"
    assert words(report) == ["OK"] * number + ["UNPROVEN"] + ["OK"] * (5 - number)
    assert report.gaps == ((FRAGMENT_SEQS[number],) * 2,)


def test_a_line_of_an_event_lost_leaves_a_gap_and_no_time():
    data, (begin, end) = MADE.footage, MADE.boxes[3]
    assert not isinstance(MADE.leaves[3], CaptureFragment)
    report = checked(data[:begin] + data[end:])
    assert (report.gaps, set(words(report))) == (((3, 3),), {"OK"})
    assert [finding.moved_bytes for finding in report.fragments[:3]] == [0, 0, begin - end]


def test_time_cut_out_with_its_lines_is_missing():
    (begin, _), (_, end) = with_its_box(MADE, 2), with_its_box(MADE, 3)
    report = checked(MADE.footage[:begin] + MADE.footage[end:])
    missing = report.fragments[2]
    assert (missing.verdict, missing.begins_ms, missing.ends_ms) == ("MISSING", 4000, 8000)
    assert words(report) == ["OK", "OK", "MISSING", "OK", "OK"]


def test_the_beginning_cut_out_with_its_lines_is_missing():
    end = with_its_box(MADE, 1)[1]
    report = checked(MADE.footage[: MADE.boxes[0][1]] + MADE.footage[end:])
    assert (report.fragments[0].verdict, report.fragments[0].ends_ms) == ("MISSING", 4000)


def test_the_end_cut_out_before_the_last_line_is_missing():
    begin = MADE.spans[4][0]
    report = checked(MADE.footage[:begin] + MADE.footage[MADE.boxes[-1][0] :])
    assert (report.fragments[-1].begins_ms, report.fragments[-1].ends_ms) == (8000, 12000)
    assert report.verdict.word == "MISSING"


def test_a_fragment_cut_short_says_what_is_left():
    report = checked(MADE.footage[: MADE.spans[5][0] + 50], MADE.lines)
    assert report.fragments[5].reason == "only 50 of its 716 bytes are left"


def test_a_fragment_behind_the_end_is_missing():
    report = checked(MADE.footage[: MADE.spans[4][0]], MADE.lines)
    assert words(report) == ["OK"] * 4 + ["MISSING"] * 2


def test_a_file_that_ends_before_the_first_fragment_has_lost_that_too():
    report = checked(MADE.footage[:100], MADE.lines)
    assert (report.init_verdict, report.verdict.word) == ("MISSING", "MISSING")


def test_bytes_put_into_a_fragment_alter_it_and_move_the_rest():
    at = MADE.spans[1][0] + 200
    report = checked(MADE.footage[:at] + b"xyz" + MADE.footage[at:])
    assert [finding.moved_bytes for finding in report.fragments if finding.verdict == "OK"] == [0, 3, 3, 3, 3]
    assert report.verdict.word == "ALTERED"


def test_footage_whose_lines_were_taken_out_is_found_to_be_moved():
    report = checked(without_boxes(MADE), MADE.lines)
    assert set(words(report)) == {"OK"}
    assert "6 fragments are as signed and not where the camera put them" in report.problems[0].text


def test_a_journal_without_its_first_line_leaves_what_it_spoke_for_unproven():
    report = checked(blanked(MADE, [0]))
    assert (report.start, report.previous, report.init_verdict) == (None, None, "UNPROVEN")
    assert report.fragments[0].reason == f"no entry that checks speaks for bytes 0 to {MADE.boxes[0][1] - 1}"


def test_footage_without_any_line_is_unproven():
    report = checked(b"something else", key=None, camera=None)
    assert (report.verdict.word, report.camera, report.stream) == ("UNPROVEN", "", "")
    assert report.problems[0].text == "No line of a camera's journal is inside it or beside it."
    assert report.fragments[0].begins_ms is None


# What only the holder of the camera's key can do.


def test_a_count_that_is_not_the_journal_s_is_said():
    camera = SigningCamera()
    made = camera.record()
    leaves = (*made.leaves[:-1], replace(made.leaves[-1], fragments=4))
    report = checked(signed_anew(camera, made, leaves), key=made.public_key)
    assert report.problems[0].text == "Its last entry counts 4 fragments, and it has 3."
    assert (report.fragment_count, report.proven_count) == (4, 3)


def test_more_fragments_than_the_last_line_counts_are_counted():
    camera = SigningCamera()
    made = camera.record()
    leaves = (*made.leaves[:-1], replace(made.leaves[-1], fragments=1))
    assert checked(signed_anew(camera, made, leaves), key=made.public_key).fragment_count == 3


def test_a_journal_that_goes_on_behind_its_end_is_said_to():
    writer = JournalWriter(SigningCamera().private, MADE.camera, MADE.stream)
    lines = [writer.add(leaf) for leaf in (*MADE.leaves, replace(MADE.leaves[3], seq=len(MADE.leaves)))]
    report = checked(None, lines)
    assert f"goes on behind entry {len(MADE.leaves) - 1}" in report.problems[0].text


@pytest.mark.parametrize("change", [{"serial": "SN43"}, {"counter": 7}])
def test_a_first_line_that_contradicts_the_journal_s_name_is_said(change):
    camera = SigningCamera()
    made = camera.record()
    report = checked(
        signed_anew(camera, made, (replace(made.start, **change), *made.leaves[1:])), key=made.public_key
    )
    assert (report.verdict.word, "and begins as number" in report.problems[0].text) == ("UNPROVEN", True)


def test_two_histories_are_found_where_their_lines_differ():
    writer = JournalWriter(SigningCamera().private, MADE.camera, MADE.stream)
    camera = SigningCamera()
    camera.record(fragments=6)
    for leaf in MADE.leaves[:5]:
        writer.add(leaf)
    other = [writer.add(replace(leaf, mono_ms=leaf.mono_ms + 1)) for leaf in MADE.leaves[5:]]
    for journal in ([other[0]], other, other[::-1]):
        report = checked(MADE.footage, journal)
        assert report.verdict.word == "ALTERED"
        assert report.problems[0].text.startswith("The camera signed two histories: they differ at entry")


@pytest.mark.parametrize("kept", [[7, 8], [6, 8], [0, 8], [4, 5, 8]])
def test_two_histories_are_found_where_lines_are_missing_too(kept):
    # The other history differs from its first entry on; of the true one only a few lines are left.
    writer = JournalWriter(SigningCamera().private, MADE.camera, MADE.stream)
    other = [writer.add(replace(leaf, mono_ms=leaf.mono_ms + 1)) for leaf in MADE.leaves]
    report = checked(None, [*other, *(MADE.lines[number] for number in kept)])
    assert report.verdict.word == "ALTERED"
    assert any("two histories" in problem.text for problem in report.problems)


def test_a_recording_that_claims_a_huge_init_is_no_trouble():
    camera = SigningCamera()
    made = camera.record()
    start = replace(made.start, init=InitSegment(2**52, "0" * 64, "0" * 64))
    report = checked(signed_anew(camera, made, (start, *made.leaves[1:])), key=made.public_key)
    assert report.init_verdict == "MISSING"


def test_fragments_that_claim_the_same_bytes_are_no_trouble():
    writer = JournalWriter(SigningCamera().private, MADE.camera, MADE.stream)
    leaves = list(MADE.leaves)
    leaves[2] = replace(leaves[2], offset=2**52, size_bytes=2**40)
    leaves[4] = replace(leaves[4], size_bytes=2**50)
    report = checked(MADE.footage, [writer.add(leaf) for leaf in leaves], key=None)
    assert report.verdict.exit_code == 1


# One signature or many.


def prove(lines, key=KEY):
    placed = [PlacedLine(f"{number}", line) for number, line in enumerate(lines)]
    return prove_journal(placed, camera=None, stream=None, public_key=key)


@pytest.fixture
def signatures(monkeypatch):
    """Count the signatures that are looked at."""
    seen = []

    def count(text, keys):
        seen.append(text)
        return open_note(text, keys)

    open_note = capture_journal.open_note
    monkeypatch.setattr(capture_journal, "open_note", count)
    return seen


def test_a_whole_journal_takes_one_signature(signatures):
    made = SigningCamera().record(fragments=60)
    assert len(prove(made.lines, made.public_key).lines) == 62
    assert len(signatures) == 1


def test_a_journal_with_a_line_missing_takes_a_few(signatures):
    made = SigningCamera().record(fragments=60)
    proven = prove(made.lines[:37] + made.lines[38:], made.public_key)
    assert sorted(proven.lines) == [seq for seq in range(62) if seq != 37]
    assert 1 < len(signatures) <= 10


def test_two_copies_of_a_line_of_which_one_is_damaged_prove_it_once():
    end = MADE.lines[-1].rindex(b"=")
    damaged = put(MADE.lines[-1], end - 9, b"A" if MADE.lines[-1][end - 9] != 65 else b"B")
    proven = prove([damaged, *MADE.lines])
    assert len(proven.lines) == len(MADE.lines)
    assert [refused.where for refused in proven.refused] in ([], ["0"])


# Hostile bytes.


# Boxes.


def test_boxes_are_walked_whatever_form_their_sizes_have():
    wide = (1).to_bytes(4, "big") + b"mdat" + (20).to_bytes(8, "big") + b"data"
    data = box(b"ftyp", b"") + wide + format_journal_box(b"line") + bytes(4) + b"mdat" + b"to the end"
    boxes, is_whole = find_journal_boxes(io.BytesIO(data), len(data))
    assert ([found.line for found in boxes], is_whole) == ([b"line"], True)
    assert [found.line for found in scan_journal_boxes(io.BytesIO(data), len(data))] == [b"line"]


@pytest.mark.parametrize(
    "data",
    [
        b"abc",
        box(b"what", b""),
        (7).to_bytes(4, "big") + b"mdat",
        (1).to_bytes(4, "big") + b"mdat" + (15).to_bytes(8, "big"),
        (9).to_bytes(4, "big") + b"mdat",
        (20).to_bytes(4, "big") + format_journal_box(b"")[4:],
    ],
)
def test_a_size_that_cannot_be_true_ends_the_walk(data):
    assert find_journal_boxes(io.BytesIO(data), len(data)) == ([], False)
    assert scan_journal_boxes(io.BytesIO(data), len(data)) == []


def test_a_box_longer_than_a_line_can_be_is_passed_over():
    data = format_journal_box(b"x" * (CAPTURE_LINE_LIMIT_BYTES + 1)) + format_journal_box(b"line")
    assert [found.line for found in find_journal_boxes(io.BytesIO(data), len(data))[0]] == [b"line"]
    assert [found.line for found in scan_journal_boxes(io.BytesIO(data), len(data))] == [b"line"]


def test_a_mark_is_found_where_two_readings_meet(monkeypatch):
    monkeypatch.setattr(capture_boxes, "_SCAN_BYTES", 64)
    for gap in range(100):
        data = b"\xff" * gap + format_journal_box(b"line")
        assert [found.begins_at for found in scan_journal_boxes(io.BytesIO(data), len(data))] == [gap]


def test_a_mark_at_the_very_beginning_has_no_room_for_a_size():
    data = format_journal_box(b"line")[4:]
    assert scan_journal_boxes(io.BytesIO(data), len(data)) == []


def test_no_more_boxes_are_read_than_a_camera_could_write(monkeypatch):
    monkeypatch.setattr(capture_boxes, "MAX_JOURNAL_BOXES", 3)
    data = format_journal_box(b"line") * 5
    assert len(find_journal_boxes(io.BytesIO(data), len(data))[0]) == 3
    assert len(scan_journal_boxes(io.BytesIO(data), len(data))) == 3
    monkeypatch.setattr(capture_boxes, "MAX_JOURNAL_BYTES", 40)
    assert len(find_journal_boxes(io.BytesIO(data), len(data))[0]) == 2
    assert len(scan_journal_boxes(io.BytesIO(data), len(data))) == 2


class Counting(io.BytesIO):
    """Footage that counts what is read of it."""

    done = 0

    def read(self, size=-1):
        data = super().read(size)
        self.done += len(data)
        return data


@pytest.mark.parametrize("offset", [1, 2**40])
def test_however_many_fragments_a_hostile_journal_names_little_is_read(offset):
    # Signed with a key nobody knows: each of 60 fragments claims to be the whole footage, and has a box at its end.
    whole, writer = 200_000, JournalWriter(SigningCamera(seed=9).private, MADE.camera, MADE.stream)
    boxes = [format_journal_box(writer.add(MADE.leaves[0]))]
    for seq in range(1, 61):
        leaf = replace(MADE.leaves[1], seq=seq, offset=offset * seq, size_bytes=whole // 2)
        boxes.append(format_journal_box(writer.add(leaf)))
    footage = Counting(box(b"mdat", bytes(whole)) + b"".join(boxes))
    report = check_capture(footage)
    assert set(words(report)) <= {"ALTERED", "MISSING", "UNPROVEN"}
    assert footage.done < 6 * len(footage.getvalue())


class Shrinking(io.BytesIO):
    """Footage that is cut short while it is read."""

    def read(self, size=-1):
        return super().read(size) if size <= 24 or self.tell() < 2000 else b""


def test_footage_that_ends_while_it_is_read_is_not_as_signed():
    report = check_capture(Shrinking(MADE.footage), public_key=KEY, journal=MADE.lines)
    assert "ALTERED" in words(report)


class Broken(io.BytesIO):
    """Footage on a disk that fails."""

    def read(self, _size=-1):
        raise OSError(5, "Input/output error")


def test_footage_that_cannot_be_read_is_said_to_be_so():
    with pytest.raises(UnreadableError, match="Input/output error"):
        check_capture(Broken(MADE.footage))


def test_a_journal_line_without_end_is_read_in_bounded_pieces():
    lines = list(read_journal_lines(io.BytesIO(b"x" * 40_000 + b"\nshort")))
    assert max(map(len, lines)) <= CAPTURE_LINE_LIMIT_BYTES + 2
    assert lines[-1] == b"short"


def test_no_more_lines_are_read_than_a_camera_could_write(monkeypatch):
    monkeypatch.setattr(capture, "MAX_JOURNAL_BOXES", 3)
    assert len(checked(None, MADE.lines[:3]).roots) == 3
    with pytest.raises(UnreadableError, match="at most 3 lines"):
        checked(None, MADE.lines[:4])
    monkeypatch.setattr(capture, "MAX_JOURNAL_BYTES", 2000)
    with pytest.raises(UnreadableError, match="2000 bytes"):
        checked(None, MADE.lines[:3])


def test_a_signature_of_the_examples_is_one_that_others_would_check():
    note = parse_note(parse_journal_line(MADE.lines[3]).proof.note)
    verify_ed25519(KEY, note.signatures[0].signature, note.text.encode())
    with pytest.raises(SignatureError):
        verify_ed25519(KEY, note.signatures[0].signature, note.text.encode() + b" ")
    with pytest.raises(FormatError):
        parse_journal_line(MADE.lines[3] + b" ")
