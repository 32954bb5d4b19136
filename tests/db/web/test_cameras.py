"""Cameras and docks: what is known of each, who may change what, and what others are told of that."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from plainview.accounts.models import Officer
from plainview.evidence.actions import assign_device
from plainview.evidence.camera_actions import add_dock, begin_docking
from plainview.evidence.camera_models import (
    CameraKey,
    CameraPolicy,
    CovertLeave,
    Destination,
    DestinationContainer,
    Dock,
)
from plainview.evidence.camera_queries import camera_keys_of, dock_with_token
from plainview.evidence.rules import DeviceKey
from plainview.formats.camera_orders import key_fingerprint
from plainview.tasks.actions import open_task
from plainview.tasks.models import Task
from simulators.custody_rows import CLERK, START, SYSTEM, last_act
from simulators.journal_rows import add_journal, add_key
from simulators.library import device_row, officer_row
from simulators.roster import digest
from simulators.visitors import visitor

pytestmark = pytest.mark.usefixtures("undone")
PLACE = "/department/cameras"
SETTINGS = {
    "buffer_ms": "45",
    "post_ms": "0",
    "fragment_ms": "2",
    "frame_rate": "30",
    "bit_rate_bps": "4",
    "reminder_ms": "120",
    "hold_ms": "2.5",
    "longest_ms": "240",
    "size": "1280x720",
    "worn": "belt",
    "from": "2020-01-01T00:00",
    "reason": "Policy 7 of March",
}


@pytest.fixture
def device():
    return device_row("SN42", make="Plainview", model="Pi")


@pytest.fixture
def custodian():
    return visitor("custodian", name="Tariq Haddad")


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def listed(client, address=PLACE):
    answer = client.get(address)
    assert answer.status_code == 200
    return text(answer)


def of(device):
    return f"{PLACE}/{device.pseudonym}"


def dock(device, *, error_ms=2500, at=START):
    if not Dock.objects.exists():
        add_dock(name="Left wall", token_sha256=digest("token"), actor=CLERK, now=START)
    return begin_docking(
        dock=Dock.objects.get().pk,
        device=DeviceKey(device.pk, device.pseudonym),
        clock_error_ms=error_ms,
        clock_doubt_ms=100,
        battery_percent=81,
        files=3,
        actor=SYSTEM,
        now=at,
    )


# --- who


@pytest.mark.parametrize("role", ["officer", "investigator", "records", "oversight", "approver"])
def test_cameras_are_not_there_for_who_has_no_business_with_them(role, device):
    client = visitor(role)
    for address in (PLACE, of(device), f"{PLACE}/settings"):
        assert client.get(address).status_code == 404
    assert ">Department<" not in client.get("/to-do").content.decode()


def test_a_supervisor_reads_and_changes_nothing(device):
    add_key(device, state="waiting")
    client = visitor("supervisor")
    assert ">Department<" in client.get("/to-do").content.decode()
    assert "Admit ..." not in listed(client, of(device))
    key = CameraKey.objects.get()
    for address, deed in (
        (PLACE, {"deed": "add_dock", "name": "Mine"}),
        (of(device), {"deed": "admit", "key": key.pk, "compared": "1"}),
        (of(device), {"deed": "covert", "reason": "x"}),
        (f"{PLACE}/settings", SETTINGS),
    ):
        assert client.post(address, deed).status_code == 404
    key.refresh_from_db()
    assert key.state == "waiting"
    assert not Dock.objects.exists()
    assert not CovertLeave.objects.exists()
    assert not CameraPolicy.objects.exists()


def test_a_camera_that_is_not_there_is_not_found(custodian):
    assert custodian.get(f"{PLACE}/{'0' * 16}").status_code == 404


# --- the list


def test_overdue_cameras_stand_first_with_whose_they_are_and_where_they_were(custodian, device):
    other = device_row("AA01")
    dock(other)
    assign_device(
        device=device,
        officer=officer_row("Mara Vance", "7001"),
        valid_from=START - timedelta(days=9),
        valid_to=None,
        actor=CLERK,
        now=START,
    )
    shown = listed(custodian)
    assert shown.index("SN42") < shown.index("AA01")
    assert "2 cameras, 1 overdue" in shown
    assert "Mara Vance badge 7001 never" in shown
    assert "now, Left wall" in shown
    assert "2.5 s fast (+/-0.1 s) 81%" in shown


def test_what_a_cameras_own_count_leaves_out_is_said(custodian, device):
    key = add_key(device)
    for counter in (1, 2, 5):
        add_journal(device, counter=counter, camera_key=key)
    add_journal(device_row("SN43"), counter=1)
    shown = listed(custodian)
    assert "Admitted 2 OK" in shown
    assert "2: numbers 3, 4" in listed(custodian, of(device))


def test_of_a_camera_that_does_not_sign_nothing_is_guessed(custodian, device):
    assert "Unknown: this camera does not report." in listed(custodian)
    assert "Unknown: this camera does not report." in listed(custodian, of(device))


def test_a_camera_is_found_by_its_wearer_once_there_are_many(custodian, device):
    for number in range(25):
        device_row(f"X{number}")
    assign_device(
        device=device,
        officer=officer_row("Mara Vance", "7001"),
        valid_from=START,
        valid_to=None,
        actor=CLERK,
        now=START,
    )
    shown = listed(custodian, f"{PLACE}?q=vance")
    assert "1 of 26 cameras" in shown
    assert "SN42" in shown
    assert "X7" not in shown
    assert "No camera fits" in listed(custodian, f"{PLACE}?q=nobody")


# --- keys


def admit(client, device, **more):
    key = CameraKey.objects.get(device=device)
    fingerprint = key_fingerprint(bytes.fromhex(key.public_key))
    form = {"deed": "admit", "key": key.pk, "fingerprint": fingerprint, "compared": "1"} | more
    return client.post(of(device), form, follow=True)


def test_a_waiting_camera_shows_its_digits_and_is_admitted_once_they_were_compared(custodian, device):
    key = add_key(device, state="waiting")
    fingerprint = key_fingerprint(bytes.fromhex(key.public_key))
    assert fingerprint in listed(custodian)
    assert "Compare the digits" in admit(custodian, device, compared="").content.decode()
    key.refresh_from_db()
    assert key.state == "waiting"
    assert "Admitted: what it signs counts" in admit(custodian, device).content.decode()
    key.refresh_from_db()
    assert key.state == "admitted"
    assert last_act()["act"] == "camera.admitted"


def test_other_digits_than_those_of_the_key_admit_nothing(custodian, device):
    key = add_key(device, state="waiting")
    shown = admit(custodian, device, fingerprint="0000 " * 8).content.decode()
    key.refresh_from_db()
    assert key.state == "waiting"
    assert "Nothing was changed" in shown


def test_a_key_of_another_camera_cannot_be_answered_here(custodian, device):
    add_key(device, state="waiting")
    other = device_row("SN43")
    form = {"deed": "refuse", "key": CameraKey.objects.get().pk, "reason": "x"}
    assert custodian.post(of(other), form).status_code == 404
    assert custodian.post(of(device), form | {"deed": "destroy"}).status_code == 404
    assert custodian.post(of(device), form | {"key": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("deed", "state", "after"), [("refuse", "waiting", "refused"), ("revoke", "admitted", "revoked")]
)
def test_refusing_and_revoking_need_a_reason(custodian, device, deed, state, after):
    key = add_key(device, state=state)
    form = {"deed": deed, "key": key.pk, "reason": ""}
    refused = custodian.post(of(device), form)
    key.refresh_from_db()
    assert (refused.status_code, key.state) == (400, state)
    assert f'id="{deed}-{key.pk}"' in refused.content.decode()
    assert custodian.post(of(device), form | {"reason": "It was lost"}).status_code == 302
    assert [each.state for each in camera_keys_of(DeviceKey(device.pk, ""))] == [after]


# --- covert


def test_covert_recording_is_allowed_for_a_span_with_a_reason_and_taken_back(custodian, device):
    begin = timezone.now() + timedelta(hours=1)
    form = {
        "deed": "covert",
        "from": f"{begin:%Y-%m-%dT%H:%M}",
        "to": f"{begin + timedelta(hours=8):%Y-%m-%dT%H:%M}",
        "reason": "Operation Heron",
    }
    assert custodian.post(of(device), form | {"reason": ""}).status_code == 400
    assert custodian.post(of(device), form).status_code == 302
    leave = CovertLeave.objects.get()
    assert (leave.allowed_by, leave.reason) == (custodian.user, "Operation Heron")
    assert leave.valid_to - leave.valid_from == timedelta(hours=8)
    assert "Tariq Haddad Operation Heron" in listed(custodian, of(device))
    custodian.post(of(device), {"deed": "end_covert", "reason": "Called off"})
    assert not CovertLeave.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": "", "to": ""}, "Give a date and a time."),
        ({"from": "2030-01-02T00:00", "to": "2030-01-01T00:00"}, "It must end after it begins"),
        ({"from": "2020-01-01T00:00", "to": "2020-01-02T00:00"}, "later than now"),
        ({"from": "2030-01-01T00:00", "to": "2031-01-01T00:00"}, "at most 31 days"),
    ],
)
def test_a_span_that_cannot_be_is_refused_with_what_is_wrong(custodian, device, given, said):
    answer = custodian.post(of(device), {"deed": "covert", "reason": "x", **given})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not CovertLeave.objects.exists()


# --- shifts


def test_a_shift_is_a_band_with_its_table_and_what_was_not_said_is_unknown(custodian, device):
    events = [
        (60_000, "state", {"state": "buffering", "was": "docked"}),
        (600_000, "state", {"state": "recording", "was": "buffering"}),
        (660_000, "muted", {}),
        (720_000, "state", {"state": "buffering", "was": "recording"}),
    ]
    add_journal(device, purpose="shift", events=events, length_ms=900_000, camera_key=add_key(device))
    shown = listed(custodian, of(device))
    assert "Unknown, the camera says nothing: 1 min 0 s ; On, not recording: 12 min 0 s" in shown
    assert "Recording: 1 min 0 s ; Recording without sound: 1 min 0 s" in shown
    assert 'fill="url(#fill-unknown)"' in custodian.get(of(device)).content.decode()


# --- docks


def test_a_docks_token_is_shown_once_and_opens_that_dock(custodian):
    answer = custodian.post(PLACE, {"deed": "add_dock", "name": "Roll call <b>"})
    token = re.search(r'id="dock-token">([\w-]{40,})<', answer.content.decode())[1]
    found = dock_with_token(digest(token))
    assert found is not None
    assert found[0].name == "Roll call <b>"
    assert "no-store" in answer["Cache-Control"]
    again = custodian.get(PLACE).content.decode()
    assert token not in again
    assert "Roll call &lt;b&gt;" in again


def test_a_name_that_is_taken_or_no_name_adds_no_dock(custodian):
    custodian.post(PLACE, {"deed": "add_dock", "name": "Left wall"})
    for name, said in (("Left wall", "already"), ("", "Give it a name"), ("x" * 65, "Give it a name")):
        answer = custodian.post(PLACE, {"deed": "add_dock", "name": name})
        assert (answer.status_code, said in answer.content.decode()) == (400, True)
    assert Dock.objects.count() == 1


def test_a_dock_is_closed_once(custodian):
    custodian.post(PLACE, {"deed": "add_dock", "name": "Left wall"})
    form = {"deed": "close_dock", "name": "Left wall"}
    assert "can hand in nothing any more" in custodian.post(PLACE, form, follow=True).content.decode()
    assert Dock.objects.get().closed_at is not None
    assert "closed already" in custodian.post(PLACE, form, follow=True).content.decode()
    assert custodian.post(PLACE, {"deed": "burn", "name": "Left wall"}).status_code == 404


# --- settings


def test_how_cameras_record_is_set_and_what_was_before_stays_readable(custodian):
    assert custodian.post(f"{PLACE}/settings", SETTINGS).status_code == 302
    policy = CameraPolicy.objects.get()
    said = policy.settings
    assert (said["buffer_ms"], said["hold_ms"], said["worn"]) == (45_000, 2500, "belt")
    assert (said["width_px"], said["height_px"], said["bit_rate_bps"]) == (1280, 720, 4_000_000)
    assert timezone.now() - policy.valid_from < timedelta(minutes=1), "the past stays as it was"
    custodian.post(f"{PLACE}/settings", SETTINGS | {"buffer_ms": "60", "has_buffer_sound": "1"})
    shown = listed(custodian, f"{PLACE}/settings")
    assert shown.count("Kept from before the start 45 seconds") == 1
    assert shown.count("Kept from before the start 60 seconds") == 2
    assert last_act()["act"] == "camera.settings_set"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"buffer_ms": "121"}, "Give a number from 0 to 120."),
        ({"buffer_ms": "many"}, "Give a number from 0 to 120."),
        ({"buffer_ms": "nan"}, "Give a number from 0 to 120."),
        ({"buffer_ms": "inf"}, "Give a number from 0 to 120."),
        ({"fragment_ms": "3"}, "Give a number from 1 to 2."),
        ({"size": "1x1"}, "Choose one of these sizes."),
        ({"worn": "tail"}, "Choose one of these places."),
        ({"from": "tomorrow"}, "Give a date and a time."),
        ({"reason": " "}, "Say why"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_what_was_typed_stays(custodian, given, said):
    answer = custodian.post(f"{PLACE}/settings", SETTINGS | given)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert 'value="2.5"' in answer.content.decode()
    assert not CameraPolicy.objects.exists()


# --- what is asked


def ask(device, why, kind="camera_request", about=""):
    open_task(kind=kind, about=f"device:{device.pseudonym}{about}", why=why, actor=SYSTEM, now=START)
    return Task.objects.get(kind=kind)


@pytest.mark.parametrize("answer", ["admitted", "refused"])
def test_the_question_about_a_new_camera_is_answered_by_admitting_or_refusing_it(device, answer):
    key = add_key(device, state="waiting")
    task = ask(device, f"It asks with the key {key_fingerprint(bytes.fromhex(key.public_key))}.")
    client = visitor("administrator")
    shown = client.get("/to-do").content.decode()
    assert f'href="{of(device)}">Plainview SN42</a>' in shown
    client.post(f"/to-do/{task.pk}", {"answer": answer})
    key.refresh_from_db()
    task.refresh_from_db()
    assert (key.state, task.answer) == (answer, answer)
    again = client.post(f"/to-do/{task.pk}", {"answer": "refused"}, follow=True)
    assert "Somebody answered this before you" in again.content.decode()


def test_a_question_about_digits_that_no_longer_wait_admits_nothing(device):
    key = add_key(device, state="waiting")
    task = ask(device, "It asks with the key 0000.")
    client = visitor("administrator")
    answer = client.post(f"/to-do/{task.pk}", {"answer": "admitted"}, follow=True)
    key.refresh_from_db()
    assert key.state == "waiting"
    assert "does not wait with these digits any more" in answer.content.decode()
    assert (
        "not one of the answers"
        in client.post(f"/to-do/{task.pk}", {"answer": "maybe"}, follow=True).content.decode()
    )


def test_a_custodian_cannot_answer_for_the_administrator(custodian, device):
    key = add_key(device, state="waiting")
    task = ask(device, f"It asks with the key {key_fingerprint(bytes.fromhex(key.public_key))}.")
    assert custodian.post(f"/to-do/{task.pk}", {"answer": "admitted"}).status_code == 404
    key.refresh_from_db()
    assert key.state == "waiting"


@pytest.mark.parametrize(
    ("kind", "role", "about", "said"),
    [
        ("overdue_camera", "supervisor", "", "Plainview SN42"),
        ("missing_recording", "custodian", "/000017", "Plainview SN42, number 17"),
        ("footage_doubted", "custodian", "/000017-0badcafe", "Plainview SN42, journal 000017-0badcafe"),
        ("camera_clock", "custodian", "", "Plainview SN42"),
    ],
)
def test_what_is_asked_about_a_camera_leads_to_it(device, kind, role, about, said):
    ask(device, "Because.", kind, about)
    shown = visitor(role).get("/to-do").content.decode()
    assert f'href="{of(device)}">{said}</a>' in shown


def test_what_is_asked_about_a_connected_systems_container_names_both(custodian):
    system = Destination.objects.create(
        name="Axis, north", account="north", password="-", pseudonym="0123456789abcdef", made_at=START
    )
    container = DestinationContainer.objects.create(destination=system, name="BWC_17", begun_at=START)
    for key in (container.pk, 10**17):
        open_task(
            kind="import_unclear", about=f"container:{key}", why=f"Because {key}.", actor=SYSTEM, now=START
        )
    shown = listed(custodian, "/to-do")
    assert "Axis, north, container BWC_17" in shown
    assert f"container:{10**17}" in shown


def test_the_roster_is_not_read_for_a_camera_nobody_wears(custodian, device):
    assert not Officer.objects.exists()
    assert "nobody" in listed(custodian, of(device))
