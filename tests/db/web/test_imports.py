"""Import with preview: nothing is taken in before somebody says so, and what became of it is told to whoever may know."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from plainview.accounts.rules import NOBODY
from plainview.evidence.import_queries import open_to
from plainview.evidence.models import Original, Recording, SearchRow
from plainview.pipeline import import_runs
from plainview.pipeline.errors import ImportRefusedError
from plainview.pipeline.import_patterns import known_patterns, pattern_named, read_pattern
from plainview.pipeline.import_runs import do_run, get_run, newest_runs
from plainview.web.imports import folder_below, folders_below
from simulators.custody_rows import START, LogOfRows, ask
from simulators.databases import copied_database
from simulators.premises import add_person, make_installation, make_intake

PATTERNS = Path(__file__).parents[3] / "docs" / "patterns"
NAME = "BC-1_20260314_235207_01.mp4"
LIST = "File name,Device serial,Officer ID,Start time,End time,Activation,Category\n"
ROW = f"{NAME},BC-1,4417,2026-03-14 23:52:07,,light_bar,Traffic\n"


@pytest.fixture(scope="module")
def premises(postgres, tmp_path_factory):
    data = tmp_path_factory.mktemp("imports")
    with copied_database(postgres):
        log = LogOfRows(data / "log", data / "checkpoint-store.sqlite")
        log.start(now=START)
        made = make_installation(data, log)
        (data / "imports").mkdir()
        for name in ("csv-beside-footage", "generic-folder"):
            (data / "imports" / f"{name}.json").write_bytes((PATTERNS / f"{name}.json").read_bytes())
        yield made
        made.keys.close()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "card" / "DCIM").mkdir(parents=True)
    (folder / "card" / NAME).write_bytes(b"footage " + str(tmp_path).encode())
    (folder / "card" / "index.csv").write_text(LIST + ROW)
    return folder


@pytest.fixture
def served(premises, monkeypatch, root):
    monkeypatch.setattr(settings, "PLAINVIEW_DATA", premises.data)
    monkeypatch.setattr(settings, "PLAINVIEW_IMPORTS", root)
    monkeypatch.setattr(settings, "PLAINVIEW_ZONE", "America/Los_Angeles")
    monkeypatch.setattr("plainview.web.here.installation", lambda: premises)
    return premises


def signed_in(*roles):
    client = Client(SERVER_NAME="localhost")
    client.force_login(add_person(*roles), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def show(client, **asked):
    answer = client.get("/recordings/import", {"folder": "card", "pattern": "csv-beside-footage"} | asked)
    return answer, answer.content.decode()


def start(client, **asked):
    asked = {"folder": "card", "pattern": "csv-beside-footage"} | asked
    return client.post("/recordings/import", asked)


def never():
    return False


def test_a_preview_says_what_would_be_made_and_takes_nothing_in(served):
    client = signed_in("records")
    before = ask("SELECT count(*) FROM custody_act"), Original.objects.count()
    answer, page = show(client)
    assert answer.status_code == 200
    assert "14 Mar 2026 23:52:07.0 PDT" in page
    assert "by index.csv, line 2" in page
    assert "4417, not on the roster" in page
    assert (ask("SELECT count(*) FROM custody_act"), Original.objects.count()) == before


def test_who_may_not_import_finds_no_page(served):
    for address in ("/recordings/import", "/recordings/import/" + "0" * 16):
        assert signed_in("officer").get(address).status_code == 404
    assert signed_in("records").get("/recordings/import/" + "0" * 16).status_code == 404


def test_without_a_folder_of_imports_the_page_says_how_to_set_it(served, monkeypatch, root):
    monkeypatch.setattr(settings, "PLAINVIEW_IMPORTS", None)
    assert "PLAINVIEW_IMPORTS" in show(signed_in("records"))[1]
    monkeypatch.setattr(settings, "PLAINVIEW_IMPORTS", root / "gone")
    assert "is not there. Check that its disk is mounted." in show(signed_in("records"))[1]


@pytest.mark.parametrize(
    "asked",
    [
        {"folder": "../.."},
        {"folder": "/etc"},
        {"folder": "."},
        {"folder": "card/\0"},
        {"folder": "nowhere"},
        {"pattern": "../service/secret"},
        {"pattern": "nowhere"},
    ],
)
def test_no_address_leads_out_of_the_folders(served, asked):
    client = signed_in("records")
    assert show(client, **asked)[0].status_code == 400
    assert start(client, **asked).status_code == 400


def test_a_link_that_leads_out_is_no_folder(root):
    (root / "out").symlink_to("/etc")
    (root / ".hidden").mkdir()
    assert folders_below(root) == ["card", "card/DCIM"]
    with pytest.raises(ImportRefusedError):
        folder_below(root, "out")


def test_an_import_is_done_by_a_worker_in_the_name_of_whoever_asked(served):
    client = signed_in("records", "investigator")
    answer = start(client)
    name = answer["Location"].rsplit("/", 1)[1]
    assert ask("SELECT task_name, args->>'name' FROM procrastinate_jobs ORDER BY id DESC LIMIT 1") == [
        (import_runs.JOB, name)
    ]
    page = client.get(answer["Location"]).content.decode()
    assert "Waiting for its turn" in page
    assert 'hx-trigger="every 2s"' in page

    do_run(make_intake(served), name, is_stopping=never)
    run = get_run(served.data, name)
    assert (run.state, run.done, run.total) == ("done", 1, 1)
    recording = Recording.objects.get(identifier=run.results[0].recording)
    actors = ask(f"SELECT DISTINCT actor FROM custody_act WHERE object = '{recording.identifier}'")
    assert actors == [(run.by,)]
    assert run.by.startswith("user:")
    page = client.get(answer["Location"]).content.decode()
    assert f"/recordings/{recording.identifier}" in page
    assert "hx-trigger" not in page.split('id="import"')[1][:200]
    do_run(make_intake(served), name, is_stopping=never)
    assert newest_runs(served.data)[0].name == name
    facts = client.get(f"/recordings/{recording.identifier}/facts").content.decode()
    assert "light_bar" in facts or "light bar" in facts
    assert "index.csv" in facts
    assert "Traffic" in facts
    assert client.get(f"/recordings/{recording.identifier}").status_code == 200


def test_what_is_here_and_not_this_viewers_to_know_is_not_named(served):
    client = signed_in("investigator")
    name = start(client)["Location"].rsplit("/", 1)[1]
    do_run(make_intake(served), name, is_stopping=never)
    made = get_run(served.data, name).results[0].recording
    records = signed_in("records")
    assert made in show(client)[1]
    SearchRow.objects.filter(recording__identifier=made).update(is_restricted=True)
    again = start(records)["Location"]
    do_run(make_intake(served), again.rsplit("/", 1)[1], is_stopping=never)
    kept = get_run(served.data, again.rsplit("/", 1)[1])
    assert (kept.results[0].status, kept.results[0].recording) == ("here", made)
    page = records.get(again).content.decode()
    assert "here already" in page
    assert open_to(NOBODY, [made]) == (set(), set())


def test_an_import_goes_on_where_a_worker_was_asked_to_end(served, root):
    (root / "card" / "BC-1_20260315_000000_01.mp4").write_bytes(b"footage of " + str(root).encode())
    client = signed_in("records")
    name = start(client)["Location"].rsplit("/", 1)[1]
    do_run(make_intake(served), name, is_stopping=lambda: True)
    assert get_run(served.data, name).state == "waiting"
    assert ask(f"SELECT count(*) FROM procrastinate_jobs WHERE args->>'name' = '{name}'") == [(2,)]
    do_run(make_intake(served), name, is_stopping=never)
    run = get_run(served.data, name)
    assert (run.state, dict(run.counts)) == ("done", {"here": 1, "received": 1})


def test_an_import_that_cannot_go_on_says_why(served, root):
    name = start(signed_in("records"))["Location"].rsplit("/", 1)[1]
    for path in sorted((root / "card").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (root / "card").rmdir()
    do_run(make_intake(served), name, is_stopping=never)
    run = get_run(served.data, name)
    assert run.state == "stopped"
    assert "is no folder" in run.problem
    do_run(make_intake(served), "f" * 16, is_stopping=never)


def test_a_run_that_cannot_be_read_is_none(served):
    folder = served.data / "imports" / "runs"
    folder.mkdir(exist_ok=True)
    (folder / ("e" * 16 + ".json")).write_text(json.dumps({"name": "x"}))
    assert get_run(served.data, "e" * 16) is None
    assert get_run(served.data, "../../etc/passwd") is None


def test_a_pattern_that_cannot_be_read_is_shown_with_why(served):
    bad = served.data / "imports" / "bad.json"
    bad.write_text("{")
    (served.data / "imports" / "not a name.json").write_text("{")
    try:
        page = show(signed_in("records"))[1]
        assert "The pattern bad cannot be read." in page
        assert [each.name for each in known_patterns(served.data)] == [
            "bad",
            "csv-beside-footage",
            "generic-folder",
        ]
        with pytest.raises(ImportRefusedError, match="not JSON"):
            read_pattern(bad)
        with pytest.raises(ImportRefusedError, match="is no name"):
            pattern_named(served.data, "not a name")
    finally:
        bad.unlink()


def test_the_list_of_recordings_leads_there(served):
    assert "/recordings/import" in signed_in("records").get("/recordings").content.decode()
    assert "/recordings/import" not in signed_in("officer").get("/recordings").content.decode()
