"""The story as data agrees with itself and with the night it tells: every figure a page will show is here."""

import datetime as dt
import itertools
import zoneinfo

import pytest

from plainview.demo.ordinary import RECORDINGS, SCENES
from plainview.demo.roster import CREWS, DEVICES, OFFICERS, UNITS, device, officer
from plainview.demo.story import (
    BUFFER_S,
    CAMERAS,
    FIRST_CONTACT_S,
    INCIDENT_S,
    LINES,
    MINUTE_ZERO,
    NOISES,
    PEOPLE,
    RELEASED_S,
    SEES,
    UNRECORDED,
    UTC_OFFSET,
    ZONE_NAME,
    place,
    spans_without_a_view,
)

CAR, REYES, OKAFOR = (CAMERAS[key] for key in ("car-12a", "reyes", "okafor"))


def said(words):
    return [line for line in LINES if words in line.words.lower()]


def test_minute_zero_is_ten_to_midnight_in_los_angeles():
    there = MINUTE_ZERO.astimezone(zoneinfo.ZoneInfo(ZONE_NAME))
    assert there.strftime("%Y-%m-%d %H:%M:%S") == "2026-03-14 23:50:00"
    assert there.utcoffset() == UTC_OFFSET


def test_the_car_records_from_0_20_by_its_light_bar():
    assert (CAR.starts_s, CAR.pressed_s, CAR.trigger) == (20, 20, "light bar")


def test_code_3_is_called_while_only_the_car_records():
    (called,) = [line for line in said("code three") if line.by == "reyes"]
    assert CAR.starts_s < called.at_s < REYES.pressed_s
    assert called.radio


def test_reyes_starts_at_0_52_and_stops_before_the_man_is_released():
    assert (REYES.pressed_s, REYES.sound_from_s) == (52, 52)
    assert REYES.pressed_s - REYES.starts_s == BUFFER_S
    assert FIRST_CONTACT_S < REYES.ends_s == 325 < RELEASED_S


def test_first_contact_is_hands_up_at_1_21():
    assert FIRST_CONTACT_S == 81
    assert [(line.at_s, line.by) for line in said("hands up!")] == [(81, "reyes")]


def test_okafor_presses_41_s_late_so_11_s_are_nothing_and_30_s_are_without_sound():
    assert OKAFOR.pressed_s - FIRST_CONTACT_S == 41
    assert OKAFOR.starts_s - FIRST_CONTACT_S == 11
    assert OKAFOR.sound_from_s - OKAFOR.starts_s == BUFFER_S == 30


def test_a_hand_covers_okafors_lens_for_9_s():
    (hand,) = [span for span in OKAFOR.spans if span.sees == "hand"]
    assert hand.to_s - hand.from_s == 9


def test_okafor_runs_on_30_s_after_the_man_is_released():
    assert OKAFOR.ends_s - RELEASED_S == 30


def test_the_clocks_are_wrong_as_told_and_one_drifts_by_40_ppm():
    assert [camera.clock_off_s for camera in (REYES, OKAFOR, CAR)] == [2.31, -7.8, 0.4]
    assert sorted(camera.drift_ppm for camera in CAMERAS.values()) == [0, 0, 40]


def test_a_cameras_clock_and_its_drift_are_what_its_file_is_stamped_with():
    assert OKAFOR.says_started_at - OKAFOR.started_at == dt.timedelta(seconds=-7.8)
    assert OKAFOR.media_s(OKAFOR.ends_s) - 268 == pytest.approx(268 * 40e-6)
    assert OKAFOR.story_s(OKAFOR.media_s(200.0)) == pytest.approx(200.0)


def test_1_min_48_s_of_6_min_show_nothing_usable():
    assert INCIDENT_S == 360
    assert sum(b - a for a, b in spans_without_a_view()) == 108
    assert spans_without_a_view()[1] == (74, 92)


@pytest.mark.parametrize("key", CAMERAS)
def test_what_a_camera_sees_is_told_without_a_gap(key):
    spans = CAMERAS[key].spans
    assert spans[0].from_s == CAMERAS[key].starts_s
    assert spans[-1].to_s == CAMERAS[key].ends_s
    assert all(a.to_s == b.from_s for a, b in itertools.pairwise(spans))
    assert {span.sees for span in spans} <= set(SEES)


def test_before_and_after_its_recording_a_camera_sees_nothing():
    assert REYES.sees(21.9) == REYES.sees(325.0) == "nothing"


def test_reyes_shouts_stop_twice_before_first_contact_and_never_again():
    stops = [line for line in said("stop") if line.by == "reyes"]
    assert len(stops) == 2
    assert all(line.at_s < FIRST_CONTACT_S for line in stops)
    assert all("!" in line.words for line in stops)


def test_a_date_of_birth_and_a_fictional_phone_number_are_spoken_on_okafors_sound():
    (birth,), (phone,) = said("nineteen ninety four"), said("five five five, zero one")
    assert birth.by == phone.by == "price"
    assert OKAFOR.sound_from_s < birth.at_s < phone.at_s < 168


def test_no_camera_shows_the_end_of_the_ground_search():
    assert all(CAMERAS[key].sees(at_s) != "clear" for key in CAMERAS for at_s in (225, 250, 281))


def test_12b_arrives_at_4_40_and_neither_of_them_records():
    assert place("car-12b", 280) == place("car-12b", 300)
    assert [who for who, _, _ in UNRECORDED] == ["lindqvist", "marsh"]
    assert not {camera.wearer for camera in CAMERAS.values()} & {"lindqvist", "marsh"}


def test_code_4_is_called_at_5_20():
    assert [line.at_s for line in said("code four") if line.by == "reyes"] == [320]


def test_nobody_talks_over_their_own_last_line():
    for key in PEOPLE:
        times = [line.at_s for line in LINES if line.by == key]
        assert all(b - a >= 2 for a, b in itertools.pairwise(times))


def test_everything_heard_comes_from_somebody_with_a_place():
    for at_s, key in [(line.at_s, line.by) for line in LINES if line.by != "dispatcher"] + [
        (noise.at_s, noise.where) for noise in NOISES
    ]:
        if key == "lindqvist" and at_s < 282:
            continue  # on the air only
        x, z = place(key, at_s)
        assert -10 < x < 30, key
        assert 0 < z < 760, key


def test_the_chase_does_not_end_where_it_began():
    assert place("car", 70)[1] - place("car", 20)[1] > 600
    assert place("reyes", 60) == pytest.approx((place("car", 60)[0] + 0.4, place("car", 60)[1]))


# The department.


def test_there_are_24_officers_each_in_a_unit_with_a_badge_of_their_own():
    assert len(OFFICERS) == 24
    assert len({each.badge for each in OFFICERS}) == 24
    assert {each.unit for each in OFFICERS} == {unit.key for unit in UNITS}


def test_every_body_camera_is_issued_to_an_officer_and_marsh_has_none():
    badges = [each.issued_to for each in DEVICES if each.kind == "body"]
    assert len(badges) == len(set(badges))
    assert all(officer(badge) for badge in badges)
    assert PEOPLE["marsh"].badge not in badges
    assert len({each.serial for each in DEVICES}) == len(DEVICES)


def test_every_car_with_a_crew_has_a_camera():
    assert set(CREWS) == {each.issued_to for each in DEVICES if each.kind == "car"}


@pytest.mark.parametrize("key", CAMERAS)
def test_the_cameras_of_the_night_are_on_the_list(key):
    camera = CAMERAS[key]
    found = device(camera.serial)
    assert found.worn == camera.worn
    assert found.issued_to == ("12A" if camera.worn == "car" else PEOPLE[camera.wearer].badge)


# The ordinary recordings.


def test_twelve_ordinary_recordings_use_each_scene_twice():
    assert sorted(each.scene for each in RECORDINGS) == sorted(SCENES * 2)
    assert all(10 <= each.seconds <= 40 for each in RECORDINGS)
    assert len({each.key for each in RECORDINGS}) == 12


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.key)
def test_an_ordinary_recording_is_worn_by_an_officer_and_is_not_during_the_incident(recording):
    assert officer(device(recording.serial).issued_to)
    ends_at = recording.started_at + dt.timedelta(seconds=recording.seconds)
    assert ends_at < MINUTE_ZERO or recording.started_at > MINUTE_ZERO + dt.timedelta(seconds=INCIDENT_S)
    assert all(at_s < recording.seconds - 1 for at_s, _, _ in recording.said)


def test_one_camera_does_not_record_twice_at_once():
    by_camera = sorted(RECORDINGS, key=lambda each: (each.serial, each.started_at))
    for a, b in itertools.pairwise(by_camera):
        assert a.serial != b.serial or a.started_at + dt.timedelta(seconds=a.seconds) < b.started_at
