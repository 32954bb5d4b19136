"""What a recording's pages show of what its camera signed and says, of places, of files that came along, and of parts."""

import re

import pytest

from plainview.evidence.camera_actions import add_dock, begin_docking
from plainview.evidence.camera_models import Dock
from plainview.evidence.models import Derivative, Original, Probe
from plainview.evidence.rules import DeviceKey
from simulators.custody_rows import CLERK, START, SYSTEM
from simulators.journal_rows import (
    MINUTE,
    add_attachment,
    add_journal,
    add_key,
    add_marker,
    add_track,
)
from simulators.library import add_recording, device_row
from simulators.roster import digest
from simulators.visitors import visitor

pytestmark = pytest.mark.usefixtures("undone")
LIGHTS = [
    (30_000, "light", {"shows": "recording", "was": "ready"}),
    (40_000, "muted", {}),
    (40_000, "light", {"shows": "muted", "was": "recording"}),
]


def page(client, recording, tab="", status=200):
    answer = client.get(f"/recordings/{recording.identifier}{tab}")
    assert answer.status_code == status, answer.content
    return re.sub(r"\s+", " ", answer.content.decode())


def text(shown):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown))


@pytest.fixture
def device():
    return device_row("SN42")


def signed(device, **more):
    recording = add_recording(1, device=device)
    journal = add_journal(
        device, recording=recording, camera_key=add_key(device), **{"events": LIGHTS} | more
    )
    return recording, journal


# --- facts


def test_what_the_camera_signed_is_said_with_what_it_does_not_prove(device):
    recording, _ = signed(device)
    shown = text(page(visitor("custodian"), recording, "/facts"))
    assert "OK Every fragment is, byte for byte, what the camera signed." in shown
    assert "30 of 30 fragments as signed, closed" in shown
    assert "The wearer pressed the button." in shown
    assert "30 s kept of 30 s set, without sound" in shown
    assert "cam.example.org/SN42" in shown
    assert "It does not show that its clock was right" in shown


CHECKED = {"date": "2026-03-14T22:00:00.000Z", "charge_percent": 88, "sound_dbfs": -32, "worn": "belt"}
LENS = {"verdict": "clear", "blocked_permille": 31, "dark_permille": 0, "even_permille": 0, "mean_level": 99}


def add_board(recording, word, *, at=START, **facts):
    """Let a storyboard have been made of a recording; its bytes lie nowhere."""
    Derivative.objects.create(
        original=recording.parts.get().original,
        kind="storyboard",
        object_id=digest(word)[:32],
        object_bytes=10,
        object_sha256=digest(word),
        sha256=digest(word),
        size_bytes=10,
        made_at=at,
        tool="none",
        settings={},
        facts=facts,
    )


def test_a_check_at_the_start_of_a_shift_has_its_own_section_and_the_cameras_page_the_newest(device):
    recording, _ = signed(device, purpose="function_check", events=[(10_000, "checked", CHECKED)])
    client = visitor("custodian")
    shown = text(page(client, recording, "/facts"))
    assert "Check at the start of the shift" in shown
    assert "Picture Lens: not known" in shown
    add_board(recording, "first", lens={**LENS, "verdict": "blocked", "blocked_permille": 900})
    add_board(recording, "second", at=START + MINUTE, lens=LENS)
    shown = text(page(client, recording, "/facts"))
    assert "Charge 88% Sound level sound heard at -32 dBFS Worn on the belt" in shown
    assert "Lens clear: 3% of the picture blocked computed from the small pictures, by machine" in shown
    line = "Lens clear: 3% of the picture blocked; sound heard at -32 dBFS; charge 88%; worn on the belt"
    address = f"/department/cameras/{device.pseudonym}"
    assert line in text(client.get(address).content.decode())
    add_journal(device, counter=2, at=START + MINUTE, purpose="function_check")
    newest = text(client.get(address).content.decode())
    assert "Lens: not known; sound level not known; charge not known; worn not known" in newest


def test_a_storyboard_from_before_and_another_recording_say_nothing_of_the_lens(device):
    recording, journal = signed(device)
    add_board(recording, "old")
    client = visitor("custodian")
    assert "Check at the start of the shift" not in text(page(client, recording, "/facts"))
    type(journal).objects.filter(pk=journal.pk).update(purpose="function_check")
    assert "Picture Lens: not known" in text(page(client, recording, "/facts"))


def test_what_does_not_fit_is_listed_by_time_and_neighbours_are_one(device):
    altered = {"verdict": "ALTERED", "why": "The bytes differ."}
    findings = [
        {**altered, "start_ms": 4000, "end_ms": 6000},
        {**altered, "start_ms": 6000, "end_ms": 8000},
        {"verdict": "MISSING", "why": "", "start_ms": None, "end_ms": None},
    ]
    recording, _ = signed(device, verdict="altered", findings=findings, proven_fragments=27)
    shown = text(page(visitor("custodian"), recording, "/facts"))
    assert "ALTERED Some of the footage is not what the camera signed." in shown
    assert "0:04.0 to 0:08.0 : ALTERED The bytes differ." in shown
    assert "the whole : MISSING" in shown
    assert "27 of 30 fragments as signed, closed" in shown


def test_a_key_that_was_revoked_or_never_admitted_is_said_to_be_so(device):
    recording = add_recording(1, device=device)
    add_journal(
        device, recording=recording, camera_key=add_key(device, state="refused"), verdict="signer_unknown"
    )
    shown = text(page(visitor("custodian"), recording, "/facts"))
    assert "SIGNER UNKNOWN" in shown
    assert "never admitted, counts no longer since" in shown


def test_of_a_camera_that_does_not_report_nothing_is_guessed(device):
    shown = text(page(visitor("custodian"), add_recording(1, device=device), "/facts"))
    assert "Unknown: this camera does not report." in shown
    assert "fragments as signed" not in shown


def test_a_file_that_came_along_is_offered_to_who_may_export_and_named_to_others(device):
    recording = add_recording(1, device=device)
    kept = add_attachment(recording, "audit <b>.pdf")
    address = f"/recordings/{recording.identifier}/attachments/{kept.pk}"
    for role, is_offered in (("custodian", True), ("oversight", False)):
        shown = page(visitor(role), recording, "/facts")
        assert "Audit trail of the system it came from" in shown
        assert "audit &lt;b&gt;.pdf" in shown
        assert (f'href="{address}"' in shown) is is_offered


def test_a_file_is_sent_only_with_its_own_recording_and_to_who_may_export_that(device):
    recording, other = add_recording(1, device=device), add_recording(2, device=device)
    kept = add_attachment(recording, "audit.pdf")
    assert visitor("oversight").get(
        f"/recordings/{recording.identifier}/attachments/{kept.pk}"
    ).status_code in {403, 404}
    elsewhere = f"/recordings/{other.identifier}/attachments/{kept.pk}"
    assert visitor("custodian").get(elsewhere).status_code == 404


def test_a_track_is_drawn_and_written_down(device):
    recording = add_recording(1, device=device)
    add_track(recording, [[0, 37.8, -122.27, 5.0], [2000, 37.801, -122.27, None]])
    shown = page(visitor("custodian"), recording, "/facts")
    assert "111 m along the line" in text(shown)
    assert "37.801000" in shown
    assert re.search(r'<path class="way" d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+"', shown)


def test_how_far_the_cameras_clock_was_off_when_it_was_docked_is_said_where_its_time_is_shown(device):
    recording, _ = signed(device)
    recording.clock_source = "camera"
    recording.save()
    client = visitor("custodian")
    assert "nobody has compared it with another" in page(client, recording, "/facts")
    add_dock(name="Left wall", token_sha256="0" * 64, actor=CLERK, now=START)
    begin_docking(
        dock=Dock.objects.get().pk,
        device=DeviceKey(device.pk, device.pseudonym),
        clock_error_ms=2500,
        clock_doubt_ms=100,
        battery_percent=None,
        files=1,
        actor=SYSTEM,
        now=START,
    )
    for tab in ("", "/facts"):
        assert "was 2.5 s fast when it was docked" in page(client, recording, tab)


# --- watching


def test_the_rows_under_the_timeline_show_buffer_light_mute_and_markers(device):
    recording, _ = signed(device)
    add_marker(recording, 50_000, "", source="camera")
    shown = page(visitor("custodian"), recording)
    said = text(shown)
    assert "0:00.0 0:30.0 Before the button, without sound" in said
    assert "0:30.0 Started. The wearer pressed the button." in said
    assert "0:40.0 1:01.0 Sound muted" in said
    assert "0:00.0 0:30.0 Light unknown: the camera does not say" in said
    assert "0:30.0 0:40.0 Light: recording" in said
    assert "0:40.0 1:01.0 Light: recording without sound" in said
    assert 'data-seek="50" aria-label="0:50.0: Marker set by the wearer"' in shown


def test_what_the_light_showed_before_the_button_comes_from_the_shifts_journal(device):
    recording, _ = signed(device, counter=2)
    shift = [
        (0, "light", {"shows": "ready"}),
        (65_000, "light", {"shows": "fault"}),
        (70_000, "light", {"shows": "ready"}),
        (85_000, "light", {"shows": "recording"}),
    ]
    # The shift began 55 s before the first picture that was kept.
    add_journal(device, purpose="shift", mono_ms=915_000, events=shift, length_ms=3_600_000)
    shown = text(page(visitor("custodian"), recording))
    assert "0:00.0 0:10.0 Light: on, not recording" in shown
    assert "0:10.0 0:15.0 Light: fault" in shown
    assert "0:15.0 0:30.0 Light: on, not recording" in shown
    assert "0:30.0 0:40.0 Light: recording" in shown


def test_without_anything_said_there_are_no_rows(device):
    assert "camera-rows" not in page(visitor("custodian"), add_recording(1, device=device))


def test_the_buffer_of_another_makers_camera_follows_from_its_trigger(device):
    recording = add_recording(1, device=device)
    recording.trigger_on_at, recording.trigger_on_reason = START + MINUTE / 3, "Siren <on>"
    recording.save()
    add_marker(recording, 25_000, "Vehicle stopped", category="Stop")
    shown = page(visitor("custodian"), recording)
    said = text(shown)
    assert "0:00.0 0:20.0 Before the start" in said
    assert "0:20.0 Started. The camera says: Siren &lt;on&gt;." in said
    assert "0:25.0: Marker: Stop, Vehicle stopped" in shown
    assert "What the light showed" not in shown


# --- parts


@pytest.fixture
def split():
    recording = add_recording(3, parts=3, duration_ms=90_000)
    for original in Original.objects.filter(parts__recording=recording):
        Probe.objects.create(
            original=original,
            made_at=START,
            tool="test",
            found={"duration_ms": 30_000},
            chunk_times=b"",
            confinement={},
            act_id=1,
        )
    return recording


def test_each_part_has_its_page_and_leads_to_the_others(split):
    client = visitor("custodian")
    second = page(client, split, "?part=2")
    assert "Part 2 of 3." in second
    first_at, second_at = (START + MINUTE / 2 * n for n in (0, 1))
    assert f"{second_at.astimezone():%M:%S}" in text(second)
    assert f"{first_at.astimezone():%M:%S}" in text(second)
    assert f'href="/recordings/{split.identifier}"' in second
    assert f'href="/recordings/{split.identifier}?part=3"' in second


def test_a_part_is_told_which_comes_next_and_when_it_began(split):
    client = visitor("custodian")
    states = [client.get(f"/recordings/{split.identifier}/progress?part={n}").json() for n in (1, 2, 3)]
    assert [state["next"] for state in states] == [
        f"/recordings/{split.identifier}?part=2",
        f"/recordings/{split.identifier}?part=3",
        None,
    ]
    begun = round(START.timestamp() * 1000)
    assert [state["started_ms"] for state in states] == [begun, begun + 30_000, begun + 60_000]


def test_the_facts_of_a_part_are_of_its_own_original(split):
    shown = page(visitor("custodian"), split, "/facts?part=3")
    assert "Original, part 3 of 3" in shown
    assert split.parts.get(number=3).original.sha256 in shown
    assert split.parts.get(number=1).original.sha256 not in shown


@pytest.mark.parametrize("asked", ["4", "0", "-1", "x", "", "99999", "1.5"])
def test_a_part_that_is_not_there_is_not_found(split, asked):
    client = visitor("custodian")
    for tab in ("", "/facts", "/progress", "/video", "/transcript.json", "/waveform.json"):
        assert client.get(f"/recordings/{split.identifier}{tab}?part={asked}").status_code == 404, tab


def test_a_marker_lies_in_the_part_in_which_it_was_set(split):
    add_marker(split, 35_000, "Second part")
    client = visitor("custodian")
    assert "Second part" not in page(client, split)
    assert 'data-seek="5" aria-label="0:05.0: Marker: Second part"' in page(client, split, "?part=2")
