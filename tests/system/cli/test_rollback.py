"""A database that is older than its log: everything that would sign is refused, and there is a way out."""

import shutil

import pytest

from simulators.offered_files import footage
from simulators.program import ingest, leaves, plainview
from simulators.stations import make_station

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A station whose pg was put back to what it was before a recording was acknowledged; the newer one lies beside."""
    station = make_station(tmp_path_factory.mktemp("station"))
    shutil.copytree(station.data / "pg", station.data / "pg.yesterday")
    station.take_in("acknowledged")
    (station.data / "pg").rename(station.data / "pg.today")
    (station.data / "pg.yesterday").rename(station.data / "pg")
    return station


@pytest.fixture
def station(made, tmp_path):
    return made.copy(tmp_path)


def signed(station):
    return (station.data / "log/1/checkpoint").read_bytes()


def is_rollback_refusal(done):
    return done.returncode == 2 and not done.stdout and "They are older than that signature" in done.stderr


def test_ingest_is_refused_and_nothing_is_acknowledged(station, tmp_path):
    before = signed(station)
    (tmp_path / "new.mp4").write_bytes(footage("never acknowledged"))
    outcomes, done = ingest(tmp_path / "new.mp4", data=station.data)
    assert not outcomes
    assert is_rollback_refusal(done), done
    assert signed(station) == before


def test_export_rotation_and_backup_are_refused(station):
    before = signed(station)
    listed = station.run("list").split()[0]
    for command in (
        ("export", listed, "-o", station.root / "new-package"),
        ("keys", "--rotate"),
        ("backup", station.root / "new-backup"),
    ):
        done = plainview(*command, data=station.data)
        assert is_rollback_refusal(done), done
    assert signed(station) == before
    assert not (station.root / "new-package").exists()
    assert not (station.root / "new-backup").exists()


def test_fsck_names_the_old_database_and_nothing_else(station):
    found, answer = station.check()
    assert found == {"custody_act"}
    (finding,) = answer["findings"]
    assert "older than its log" in finding["problem"]


def test_with_the_newer_database_back_all_is_well(station):
    shutil.rmtree(station.data / "pg")
    (station.data / "pg.today").rename(station.data / "pg")
    assert station.check()[0] == set()
    station.take_in("afterwards")


def test_without_a_backup_a_new_log_can_name_the_gap(station):
    size = len(leaves(station.data))
    assert "--new-epoch" in station.run("restore", expect=2)
    answer = station.ask("restore", "--new-epoch", "The disk lost a day.")
    assert answer["origin"] == "station.example/custody/2"
    ((facts,),) = station.sql("select facts from custody_act where act = 'log.epoch'")
    assert (facts["old_size"], facts["restored_size"]) == (size, size - 2)
    station.take_in("afterwards")
    found, checked = station.check("--deep")
    assert not found, checked
    assert any("names that gap" in notice["problem"] for notice in checked["notices"])


def test_the_lost_recording_is_adopted_and_becomes_one_again(station):
    station.run("restore", "--new-epoch", "The disk lost a day.")
    outcome = station.take_in("acknowledged")
    assert outcome["recording"] not in station.run("list").split()[1:]
    assert station.check()[0] == set()
