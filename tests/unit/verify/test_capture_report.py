import io
import json

import pytest

from plainview.verify.capture import check_capture
from plainview.verify.capture_files import check_capture_files
from plainview.verify.capture_report import (
    CAPTURE_CONCLUSIONS,
    describe_capture,
    format_capture_report,
    format_capture_report_json,
)
from plainview.verify.command import main
from plainview.verify.errors import UnreadableError
from plainview.verify.verdicts import UNLISTED, VERDICTS
from simulators.capture_attacks import EARLIER, MADE, blanked, flipped, with_its_box
from simulators.journals import SigningCamera

HEX = MADE.public_key.hex()


def text_of(footage, journal=None, *, key=MADE.public_key):
    return format_capture_report(check_capture(io.BytesIO(footage), public_key=key, journal=journal))


def test_stretches_of_time_get_a_line_each():
    text = text_of(flipped(MADE.footage, MADE.spans[2][0] + 300))
    assert "OK              0:00.000 to 0:04.000\n" in text
    assert "ALTERED         0:04.000 to 0:06.000  (its bytes are not those that were signed)\n" in text
    assert "OK              0:06.000 to 0:12.000\n" in text
    assert "Result: ALTERED. Fragments: 1 ALTERED, 5 OK.\n" in text


def test_who_recorded_and_why_is_told():
    text = text_of(MADE.footage)
    assert "Recorded by camera cam.example.org/SN42: 6 of 6 fragments as signed, closed\n" in text
    assert "The wearer pressed the button." in text
    assert "Ended 2026-03-15T07:01:24.000Z: The wearer held the button.\n" in text
    assert "  The wearer set a marker.\n" in text


def test_an_event_that_came_often_is_told_once():
    made = SigningCamera().record(events=((1, "marker"), (2, "marker")))
    assert "  The wearer set a marker. (2 times)\n" in text_of(made.footage, key=made.public_key)


def test_a_shift_has_no_trigger_to_tell_of():
    shift = SigningCamera().record(purpose="shift")
    text = text_of(b"", shift.lines, key=shift.public_key)
    assert "by the camera's clock (simulated)\n" in text
    assert "Fragments: none." in text
    assert "Journal of a shift of camera cam.example.org/SN42, closed\n" in text


def test_a_buffer_is_told_with_its_sound():
    camera = SigningCamera()
    for has_sound, said in ((False, "without sound"), (True, "with sound")):
        made = camera.record(buffer_ms=30_000, has_buffer_sound=has_sound)
        assert f"  30.0 s from before that are kept, {said}\n" in text_of(made.footage, key=made.public_key)


def test_a_key_nobody_gave_is_asked_for():
    text = text_of(flipped(MADE.footage, 300), key=None)
    assert "by a key nobody vouches for" in text
    assert "--camera-key" in text
    assert "--camera-key" in text_of(MADE.footage, key=None)


def test_what_was_moved_says_how_far():
    begin, end = with_its_box(MADE, 2)
    text = text_of(MADE.footage[:begin] + MADE.footage[end:])
    assert f"OK              0:06.000 to 0:12.000  (as signed, {begin - end} bytes from its place)\n" in text
    assert "  3 fragments are as signed and not where the camera put them" in text


def test_what_has_no_end_and_what_has_no_time_are_said():
    assert "UNPROVEN        0:12.000 to the end  (no entry" in text_of(MADE.footage + b"more")
    assert "UNPROVEN        no time known  (no entry" in text_of(b"noise", [b"noise"], key=None)
    assert "UNPROVEN        what stands before the first fragment\n" in text_of(blanked(MADE, [0]))


def test_lines_that_do_not_check_are_told_and_after_ten_only_counted():
    text = text_of(MADE.footage, [b"noise"])
    assert "UNPROVEN        journal, line 1  (journal line: not JSON" in text
    many = text_of(MADE.footage, [b"%d" % number for number in range(25)])
    assert "UNPROVEN        15 more lines of journals that do not check\n" in many


def test_places_without_a_line_are_told():
    assert "entry 3 of the journal" in text_of(blanked(MADE, [3]))
    assert "entries 3 to 4 of the journal" in text_of(blanked(MADE, [3, 4]))


def test_a_recording_that_power_ended_tells_of_no_end():
    text = text_of(MADE.footage[: with_its_box(MADE, 3)[1]])
    assert "4 of 4 fragments as signed, not closed\n" in text
    assert "Ended" not in text


def test_nothing_steers_the_terminal():
    report = check_capture(None, journal=[b'{"\x1b[2J\xe2\x80\xae'])
    assert "\x1b" not in format_capture_report(report)


def test_each_verdict_a_recording_can_have_is_concluded():
    assert CAPTURE_CONCLUSIONS.keys() == {verdict.word for verdict in VERDICTS} - {UNLISTED}


def test_the_document_says_the_same():
    report = check_capture(io.BytesIO(MADE.footage), public_key=MADE.public_key)
    document = json.loads(format_capture_report_json(report))
    assert (document["verdict"], document["exit_code"], document["error"]) == ("OK", 0, None)
    assert document["previous"]["stream"] == EARLIER.stream
    assert document["fragments"][0]["begins_ms"] == 0
    first = check_capture(io.BytesIO(EARLIER.footage), journal=[b"noise"])
    document = json.loads(format_capture_report_json(first))
    assert (document["previous"], document["is_signer_known"]) == (None, False)
    assert document["refused"][0]["where"] == "journal, line 1"


def test_one_line_says_who_and_how_much():
    report = check_capture(io.BytesIO(EARLIER.footage[: with_its_box(EARLIER, 1)[1]]))
    assert describe_capture(report) == (
        "Recorded by camera cam.example.org/SN42: 2 of 2 fragments as signed, not closed, by a key nobody vouches for"
    )


# The command line.


@pytest.fixture
def files(tmp_path):
    (tmp_path / "footage").write_bytes(MADE.footage)
    (tmp_path / "journal").write_bytes(MADE.journal)
    (tmp_path / "altered").write_bytes(flipped(MADE.footage, 300))
    (tmp_path / "noise").write_bytes(b"noise")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--capture", "footage", "--camera-key", HEX], 0),
        (["--capture", "footage", "--camera-key", HEX.upper(), "--journal", "journal"], 0),
        (["--capture", "altered", "--camera-key", HEX], 1),
        (["--capture", "footage"], 3),
        (["--journal", "journal", "--camera-key", HEX], 1),
        (["--capture", "noise"], 2),
        (["--capture", "nothing"], 2),
        (["--capture", "footage", "--camera-key", "f00"], 2),
    ],
)
def test_a_check_ends_in_the_code_of_its_verdict(files, monkeypatch, capsys, arguments, code):
    monkeypatch.chdir(files)
    assert main(arguments) == code
    said = capsys.readouterr().out
    assert said.startswith("Cannot check: ") == (code == 2)
    assert main([*arguments, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["exit_code"] == code


def test_footage_in_no_file_cannot_be_read(tmp_path):
    with pytest.raises(UnreadableError, match="Is a directory"):
        check_capture_files(str(tmp_path), None, None)
