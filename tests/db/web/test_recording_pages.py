"""A recording's pages: what they show, to whom, and which acts they are."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from plainview.accounts.actions import add_officer
from plainview.custody.act_queries import ShownAct
from plainview.custody.models import Act, Words
from plainview.custody.sequence import publish_pending
from plainview.evidence.models import Recording, Restriction, SearchRow, Step, Wearer
from plainview.formats.note import parse_vkey
from plainview.formats.policy import TrustPolicy
from plainview.verify.receipt import read_receipt, verify_receipt
from plainview.web import packages, recording_custody
from plainview.web.recording_words import told
from simulators.custody_rows import CLERK, START
from simulators.screening import HOSTILE_NAME
from simulators.visitors import visitor


@pytest.fixture
def custodian(shown):
    return visitor("custodian", name="Tariq Haddad")


def page(client, identifier, tab="", status=200):
    answer = client.get(f"/recordings/{identifier}{tab}")
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def state_of(client, identifier):
    return client.get(f"/recordings/{identifier}/progress").json()


def newest_act():
    return Act.objects.order_by("pk").last()


@pytest.fixture(scope="module")
def badges(screened):
    for badge, name in (("7001", "Mara <i>Vance</i>"), ("7002", "Lee Okafor")):
        add_officer(badge=badge, name=name, actor=CLERK, now=START)


# --- watching


def test_opening_the_page_is_one_act_by_whoever_opened_it(custodian, shown):
    before = Act.objects.count()
    page(custodian, shown.plain)
    act = newest_act()
    assert Act.objects.count() == before + 1
    assert (act.act, act.object, act.actor) == (
        "recording.opened",
        shown.plain,
        f"user:{custodian.user.pseudonym}",
    )


def test_what_the_page_asks_for_afterwards_is_none(custodian, shown):
    before = Act.objects.count()
    assert custodian.head(f"/recordings/{shown.plain}").status_code == 200
    for tab in ("/progress", "/transcript.json", "/video", "/facts", "/custody", "/export"):
        page_or_bytes = custodian.get(f"/recordings/{shown.plain}{tab}")
        assert page_or_bytes.status_code == 200
    assert Act.objects.count() == before


def test_an_identifier_typed_another_way_leads_to_the_one_address(custodian, shown):
    typed = shown.plain.lower().replace("-", "")
    typed = f"r-{typed[1:]}"
    before = Act.objects.count()
    answer = custodian.get(f"/recordings/{typed}")
    assert (answer.status_code, answer["Location"]) == (302, f"/recordings/{shown.plain}")
    assert Act.objects.count() == before


def test_a_player_is_told_all_it_needs(custodian, shown):
    state = state_of(custodian, shown.plain)
    assert state["video"] == {
        "address": f"/recordings/{shown.plain}/video",
        "kind": "original",
        "type": "video/mp4",
        "has_picture": True,
        "has_sound": True,
        "frame_rate": 10.0,
        "is_even": True,
        "first_ms": 0,
    }
    assert state["storyboard"]["times_ms"] == [0, 1000, 2000]
    assert state["duration_ms"] == 3000
    assert (state["steps"], state["busy"], state["problem"]) == ([], False, "")
    in_page = page(custodian, shown.plain)
    assert json.loads(in_page.split('type="application/json">')[1].split("</script>")[0]) == state


def test_a_viewing_copy_is_called_one(custodian, shown):
    video = state_of(custodian, shown.coded)["video"]
    assert (video["kind"], video["type"], video["has_sound"]) == ("viewing_copy", "video/mp4", False)


def test_a_page_opened_too_early_says_how_far_it_is(custodian, shown):
    rows = Step.objects.filter(original__parts__recording__identifier=shown.untouched, name="derive")
    rows.update(state="doing", fraction=0.43)
    state = state_of(custodian, shown.untouched)
    assert (state["video"], state["busy"], state["problem"]) == (None, True, "")
    assert state["steps"][0]["words"] == "The viewing copy is being made: 43%."
    rows.update(state="parked", reason="too_long", reason_text="It claims to last for years.")
    state = state_of(custodian, shown.untouched)
    assert "It claims to last for years." in state["problem"]
    assert "exported" in page(custodian, shown.untouched)
    rows.update(state="waiting", reason="", reason_text="", fraction=0)
    assert (
        state_of(custodian, shown.untouched)["steps"][0]["words"] == "The viewing copy is waiting to be made."
    )
    rows.update(reason="disk_full", reason_text="The disk is full.")
    said = state_of(custodian, shown.untouched)["steps"][0]["words"]
    assert said == "The viewing copy is waiting to be made. The disk is full."


def test_where_no_copy_could_be_made_the_page_says_so(custodian, shown):
    rows = Step.objects.filter(original__parts__recording__identifier=shown.untouched, name="derive")
    rows.update(state="done")
    assert "No viewing copy could be made" in state_of(custodian, shown.untouched)["problem"]
    rows.update(state="waiting")


def test_the_transcript_says_how_far_to_trust_it_and_keeps_hostile_words_words(custodian, shown):
    found = custodian.get(f"/recordings/{shown.plain}/transcript.json")
    assert found["Content-Type"] == "application/json"
    assert found.json() == {
        "notice": "Sample transcript, typed from the demonstration's script.",
        "made": "sample, typed by hand",
        "cues": [
            {
                "start_ms": 500,
                "end_ms": 1500,
                "words": [[500, 800, "Stop", 0.9], [900, 1500, "<b>there</b>.", 0.2]],
            }
        ],
    }


def test_hostile_words_are_text_on_every_page(custodian, shown, badges):
    Recording.objects.filter(identifier=shown.plain).update(zone="America/New_York")
    for tab in ("", "/facts", "/custody", "/export"):
        said = page(custodian, shown.plain, tab)
        assert "<script>alert" not in said
        assert "<i>Vance" not in said
        assert "\u202e" not in said
    assert "&lt;script&gt;" in page(custodian, shown.plain, "/facts")
    assert "<script>" in HOSTILE_NAME


# --- facts, correcting, restricting


def test_facts_say_what_examining_found(custodian, shown):
    said = page(custodian, shown.plain, "/facts")
    for words in ("MP4 or QuickTime", "h264, 320 by 180", "1 channel", "browsers play the original"):
        assert words in said
    assert "Not made yet. Browsers do not play this kind of file." in page(
        custodian, shown.untouched, "/facts"
    )


def change(client, identifier, **fields):
    return client.post(f"/recordings/{identifier}/facts", fields)


def test_a_wrong_wearer_is_corrected_and_the_old_value_stays_struck_through(custodian, shown, badges):
    reason = "Shift sheet of 14 March."
    assert change(custodian, shown.coded, deed="wearer", badge="7001", reason=reason).status_code == 302
    assert change(custodian, shown.coded, deed="wearer", badge="7002", reason=reason).status_code == 302
    act = newest_act()
    assert (act.act, act.object) == ("wearer.set", shown.coded)
    assert Words.objects.get(act_id=act.pk).detail == {"reason": reason}
    said = page(custodian, shown.coded, "/facts")
    assert "<del>Mara &lt;i&gt;Vance&lt;/i&gt;, badge 7001</del>" in said
    assert "Lee Okafor, badge 7002" in said
    assert change(custodian, shown.coded, deed="wearer", badge="", reason=reason).status_code == 302
    assert Wearer.objects.get(recording__identifier=shown.coded, superseded_at=None).officer is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"badge": "9999", "reason": "Typed wrong."}, "nobody on the roster"),
        ({"badge": "7001", "reason": ""}, "Say why"),
        ({"badge": "7001", "reason": "two\nlines"}, "Say why"),
        ({"badge": "7001", "reason": "x" * 501}, "Say why"),
    ],
)
def test_a_correction_that_says_too_little_changes_nothing_and_says_what_to_mend(
    custodian, shown, badges, fields, words
):
    before = Act.objects.count()
    answer = change(custodian, shown.untouched, deed="wearer", **fields)
    assert answer.status_code == 400
    said = answer.content.decode()
    assert words in said
    assert "data-open" in said
    assert f'value="{fields["badge"]}"' in said
    assert Act.objects.count() == before


def test_only_a_custodian_corrects_and_restricts(shown, badges):
    investigator = visitor("investigator")
    before = Act.objects.count()
    for deed in ("wearer", "restrict", "lift"):
        assert (
            change(investigator, shown.plain, deed=deed, badge="7001", reason="Because.").status_code == 403
        )
    said = page(investigator, shown.plain, "/facts")
    assert "Correct ..." not in said
    assert "Restrict ..." not in said
    assert Act.objects.count() == before


def test_an_unknown_deed_is_none(custodian, shown):
    assert change(custodian, shown.plain, deed="delete", reason="Because.").status_code == 404


def test_restricting_hides_what_it_holds_and_not_that_it_exists(custodian, shown):
    investigator = visitor("investigator")
    change(custodian, shown.coded, deed="restrict", reason="A child is seen.")
    assert newest_act().act == "recording.restricted"
    for tab in ("", "/facts", "/custody", "/export"):
        said = page(investigator, shown.coded, tab, status=403)
        assert "Recorded, restricted" in said
        assert "A child is seen." not in said
    for name in (
        "/video",
        "/poster.jpg",
        "/storyboard.jpg",
        "/transcript.json",
        "/progress",
        "/receipt.json",
    ):
        assert investigator.get(f"/recordings/{shown.coded}{name}").status_code == 403
    assert "A child is seen." in page(custodian, shown.coded, "/facts")
    change(custodian, shown.coded, deed="lift", reason="The court said so.")
    assert newest_act().act == "recording.unrestricted"
    assert Restriction.objects.get(recording__identifier=shown.coded).lifted_at is not None
    page(investigator, shown.coded)


def test_an_officer_sees_their_own_and_no_other(shown, badges):
    officer = visitor("officer", name="Own Wearer")
    own = add_officer(badge=f"8{officer.user.pk}", name="Own Wearer", actor=CLERK, now=START)
    type(own).objects.filter(pk=own.pk).update(user=officer.user)
    page(officer, shown.plain, status=404)
    SearchRow.objects.filter(recording__identifier=shown.plain).update(wearer=own)
    said = page(officer, shown.plain)
    assert "Export" not in said
    page(officer, shown.plain, "/export", status=403)
    SearchRow.objects.filter(recording__identifier=shown.plain).update(wearer=None)


# --- custody


def test_custody_tells_every_act_in_order_with_who_and_where_it_stands(custodian, shown):
    page(custodian, shown.plain)
    said = page(custodian, shown.plain, "/custody")
    assert "waits" in said
    publish_pending(shown.log.signer)
    said = page(custodian, shown.plain, "/custody")
    assert "waits" not in said
    for words in (
        "received, stored, read back",
        "was examined",
        "Something derived",
        "to watch it",
        "Tariq Haddad",
    ):
        assert words in said
    assert said.index("received, stored") < said.index("was examined") < said.index("to watch it")


def test_words_that_were_destroyed_leave_their_act(custodian, shown):
    act = Act.objects.filter(object=shown.coded, act="recording.received").get()
    rows = recording_custody.rows([shown_act(act)], installation=shown.place.installation, names={})
    assert rows[0].is_destroyed
    assert rows[0].words == "The original was received, stored, read back and compared."


def shown_act(act):
    return ShownAct(
        act.pk,
        act.at,
        act.act,
        act.object,
        act.actor,
        act.outcome,
        act.why,
        act.facts,
        None,
        True,
        None,
        None,
    )


def test_what_a_check_of_the_capture_found_is_told_in_the_checkers_words():
    facts = {
        "fragments": 5,
        "is_closed": 0,
        "proven": 4,
        "stream": "000002-0badcafe",
        "verdict": "not_closed",
    }
    assert told(facts, None) == [
        ("fragments", "5"),
        ("as signed", "4"),
        ("journal", "000002-0badcafe"),
        ("verdict", "NOT CLOSED"),
    ]


def test_the_receipt_is_the_leaf_of_receiving_and_checks(custodian, shown):
    publish_pending(shown.log.signer)
    answer = custodian.get(f"/recordings/{shown.plain}/receipt.json")
    assert answer["Content-Disposition"] == f'attachment; filename="{shown.plain}-receipt.json"'
    receipt = read_receipt(answer.content)
    assert (receipt.leaf.act, receipt.leaf.object) == ("recording.received", shown.plain)
    verify_receipt(receipt, TrustPolicy(logs=(parse_vkey(shown.log.vkey),)))


def test_there_is_no_receipt_before_a_checkpoint_covers_it(custodian, shown, monkeypatch):
    monkeypatch.setattr(recording_custody, "received", lambda acts, sha256: None)
    assert custodian.get(f"/recordings/{shown.plain}/receipt.json").status_code == 404


# --- export


def make(client, identifier, recipient="Public Defender", purpose="Case 26-114"):
    return client.post(
        f"/recordings/{identifier}/export", {"recipient": recipient, "purpose": purpose}, follow=True
    )


def offered(answer):
    """Return where the page says the package is to be fetched, or None."""
    link = re.search(r'href="(/recordings/[^"]+[.]zip)"', answer.content.decode())
    return link and link[1]


def test_a_package_is_made_fetched_and_its_act_stands_on_the_custody_page(custodian, shown):
    said = make(custodian, shown.plain)
    assert "Download the package" in said.content.decode()
    answer = custodian.get(offered(said))
    data = b"".join(answer.streaming_content)
    assert answer["Content-Length"] == str(len(data))
    assert answer["Content-Disposition"] == f'attachment; filename="{shown.plain}-package.zip"'
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert all(name.startswith(f"{shown.plain}-package/") for name in names)
        (original,) = [name for name in names if "/data/original/" in name]
        assert archive.read(original) == shown.plain_bytes
        assert f"{shown.plain}-package/verify.py" in names
    assert newest_act().act == "package.exported"
    said = page(custodian, shown.plain, "/custody")
    assert "A package for a named recipient was made." in said
    assert "Public Defender" in said
    assert "Public Defender" not in page(custodian, shown.coded, "/custody")


def test_a_package_is_for_whoever_made_it_and_for_an_hour(custodian, shown):
    address = offered(make(custodian, shown.plain))
    other = visitor("custodian")
    assert other.get(address).status_code == 404
    assert visitor("officer").get(address).status_code == 404
    for path in (shown.place.installation.data / packages.EXPORTS).rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    later = page_now() + timedelta(seconds=packages.KEPT_S + 1)
    packages.drop_old_packages(shown.place.installation, now=page_now())
    assert custodian.get(address).status_code == 200
    packages.drop_old_packages(shown.place.installation, now=later)
    assert custodian.get(address).status_code == 404


def page_now():
    return datetime.now(UTC)


@pytest.mark.parametrize("name", ["0" * 32, "../" * 5, "x"])
def test_what_was_never_made_is_not_found(custodian, shown, name):
    assert custodian.get(f"/recordings/{shown.plain}/export/{name}.zip").status_code == 404
    assert offered(custodian.get(f"/recordings/{shown.plain}/export?package={name}")) is None


@pytest.mark.parametrize("recipient", ["", "  ", "two\nlines", "x" * 501])
def test_a_package_needs_a_recipient_in_one_line(custodian, shown, recipient):
    before = Act.objects.count()
    answer = make(custodian, shown.plain, recipient=recipient)
    assert answer.status_code == 400
    assert b"for whom it is" in answer.content
    assert Act.objects.count() == before


def test_only_one_package_is_made_at_a_time(custodian, shown):
    with packages._making:
        answer = make(custodian, shown.plain)
    assert answer.status_code == 400
    assert b"Another package is being made" in answer.content


def test_a_full_disk_is_said_and_leaves_nothing(custodian, shown, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    packages.drop_old_packages(shown.place.installation, now=page_now() + timedelta(days=1))
    monkeypatch.setattr(packages, "_zip", full)
    answer = make(custodian, shown.plain)
    assert b"The disk is full" in answer.content
    assert not list((shown.place.installation.data / packages.EXPORTS).glob("*/*"))


def test_what_is_too_large_for_a_page_is_sent_to_the_command_line(custodian, shown, monkeypatch):
    monkeypatch.setattr(packages, "MOST_BYTES", 10)
    assert "plainview export" in page(custodian, shown.plain, "/export")
    assert make(custodian, shown.plain).status_code == 400


def test_downloads_that_wait_for_a_slow_network_are_few(custodian, shown):
    address = offered(make(custodian, shown.plain))
    held = [custodian.get(address) for _ in range(packages.DOWNLOADS_AT_ONCE)]
    refused = custodian.get(address)
    assert (refused.status_code, refused["Retry-After"]) == (503, "60")
    for answer in held:
        answer.close()
    assert custodian.get(address).status_code == 200
