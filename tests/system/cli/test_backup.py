"""Backups hold no key, and what comes out of them is what went in; interrupted anywhere, the same again converges."""

import base64
import json
import shutil
import subprocess
import time

import pytest

from plainview.formats.recovery import parse_escrow, parse_recovery_key
from plainview.service.postgres import find_binaries
from plainview.vault.keys import open_escrow, open_key_store
from plainview.vault.master import read_master
from simulators.program import kill_everything, leaves, plainview, start
from simulators.stations import Station, flip, make_station, newest, public_key

pytestmark = pytest.mark.slow

REASON = "The building burned down."
WAIT_S = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_station(tmp_path_factory.mktemp("station"))


@pytest.fixture
def station(made, tmp_path):
    return made.copy(tmp_path / "here")


@pytest.fixture
def there(made, tmp_path):
    """A second machine that was given the backup, the escrow and the recovery key."""
    (tmp_path / "there").mkdir()
    shutil.copytree(made.backup.parent, tmp_path / "there" / "kept")
    shutil.copy2(made.recovery_key, tmp_path / "there" / "recovery-key.json")
    return Station(tmp_path / "there")


def restore(station, *more, reason=REASON, expect=0):
    arguments = [station.backup, "--recovery-key", station.recovery_key]
    return station.run(
        "restore", *arguments, *(["--new-epoch", reason] if reason else []), *more, expect=expect
    )


# --- what a backup holds


def secrets_of(station):
    keys = open_key_store(station.data / "keys")
    master = read_master(station.data / "keys" / "master.key")
    found = {f"key of {name}": key for name, key in keys.object_keys().items()}
    found["signing key"] = keys.secret("log/station.example/custody/1")
    keys.close()
    found["master key"] = master.key
    found["recovery key"] = parse_recovery_key(station.recovery_key.read_bytes()).private
    passwords = json.loads((station.data / "service/passwords.json").read_text())
    return found | {f"password of {role}": word.encode() for role, word in passwords.items()}


def spellings(secret):
    return (
        secret,
        secret.hex().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret),
    )


def files_of_backup(station):
    files = {path: path.read_bytes() for path in station.backup.parent.rglob("*") if path.is_file()}
    dump = station.backup / "database.dump"
    program = find_binaries().program("pg_restore")
    # The dump is compressed: what it says must be looked at too.
    files["the rows"] = subprocess.run([program, "--file=-", dump], capture_output=True, check=True).stdout
    return files


def test_no_file_of_a_backup_or_beside_it_holds_a_key_or_a_password(made):
    files = files_of_backup(made)
    secrets = secrets_of(made)
    assert len(secrets) >= 11
    for name, secret in secrets.items():
        for path, data in files.items():
            assert not any(spelling in data for spelling in spellings(secret)), (name, path)


def test_the_search_for_keys_would_find_one(made):
    files = files_of_backup(made)
    ((digest,),) = made.sql("select sha256 from evidence_original where id = 1")
    assert digest.encode() in files["the rows"]


def test_a_backup_is_private_and_says_how_far_it_goes(made):
    assert {path.name for path in made.backup.iterdir()} == {
        "backup.json",
        "database.dump",
        "database.dump.sha256",
        "log",
        "objects",
    }
    facts = json.loads((made.backup / "backup.json").read_text())
    assert facts["log_size"] == len(leaves(made.data))
    assert leaves(made.data)[-1]["act"] == "backup.made"
    for path in (made.backup, made.escrow, *made.backup.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0 or path.stat().st_mode & 0o777 == 0o440, path


def test_the_escrow_opens_with_the_recovery_key_alone(made):
    keys = open_escrow(
        parse_escrow(made.escrow.read_bytes()), parse_recovery_key(made.recovery_key.read_bytes())
    )
    store = open_key_store(made.data / "keys")
    assert keys == store.object_keys()
    store.close()


def test_an_earlier_backup_is_brought_up_to_date(station):
    station.take_in("later")
    stray = station.backup / "objects" / "00" / ("0" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"what no record names")
    answer = station.ask("backup", station.backup)
    assert (answer["copied"], answer["kept"], answer["removed"]) == (1, 4, 1)
    assert not stray.exists()
    assert json.loads((station.backup / "backup.json").read_text())["log_size"] == len(leaves(station.data))


def test_an_object_that_cannot_be_copied_is_named_and_the_rest_is_kept(station):
    shutil.rmtree(station.backup)
    broken = next(path for path in (station.data / "objects").glob("*/*"))
    flip(broken)
    answer = station.ask("backup", station.backup, expect=1)
    assert [each["object"] for each in answer["damaged"]] == [broken.name]
    assert (station.backup / "backup.json").exists()
    assert not list(station.backup.rglob(broken.name + "*"))


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("data/backup", "lie in each other"),
        ("", "lie in each other"),
        ("data/..", "lie in each other"),
        ("something", "is no backup"),
        ("foreign", "is a backup of elsewhere.example"),
        ("file", "is no backup"),
    ],
)
def test_a_backup_in_the_wrong_place_is_refused(station, folder, sentence):
    (station.root / "something").mkdir()
    (station.root / "something" / "letter.txt").touch()
    (station.root / "file").write_text("a file")
    shutil.copytree(station.backup, station.root / "foreign")
    facts = station.root / "foreign" / "backup.json"
    facts.write_text(facts.read_text().replace("station.example", "elsewhere.example"))
    size = len(leaves(station.data))
    said = station.run("backup", station.root / folder, expect=2)
    assert sentence in said
    assert "Nothing was written" in said
    assert len(leaves(station.data)) == size


# --- elsewhere


def test_elsewhere_each_missing_part_is_asked_for_and_nothing_is_half_done(there):
    everything = ["--recovery-key", there.recovery_key, "--new-epoch", REASON]
    (there.root / "away").mkdir()
    wanted = {
        "Give the recovery key": everything[2:],
        "Say why, for ever": everything[:2],
        "every object's key, sealed": [*everything, "--keys", there.root / "none.keys"],
    }
    for sentence, arguments in wanted.items():
        assert sentence in there.run("restore", there.backup, *arguments, expect=2)
        assert {path.name for path in there.data.iterdir()} == {"lock"}


def test_another_recovery_key_is_refused(there, tmp_path):
    other = tmp_path / "other" / "data"
    plainview("init", "--recovery-key", tmp_path / "other.json", data=other)
    arguments = ["--recovery-key", tmp_path / "other.json", "--new-epoch", REASON]
    there.run("restore", there.backup, *arguments, expect=2)
    assert {path.name for path in there.data.iterdir()} == {"lock"}


def test_a_directory_that_holds_something_is_not_restored_into(there):
    there.data.mkdir(mode=0o700)
    (there.data / "letter.txt").touch()
    there.data.chmod(0o700)
    (there.data / "lock").touch()
    assert "not empty" in restore(there, expect=2)
    assert [path.name for path in there.data.iterdir() if path.name != "lock"] == ["letter.txt"]


def test_what_comes_back_elsewhere_is_proven_by_the_old_key_and_the_new(made, there, tmp_path):
    restore(there)
    old, new = public_key(made), public_key(there)
    assert (old.split("+")[0], new.split("+")[0]) == (
        "station.example/custody/1",
        "station.example/custody/2",
    )
    assert there.check("--deep")[0] == set()
    for line in made.run("list").splitlines():
        recording = line.split()[0]
        package = tmp_path / recording
        there.run("export", recording, "-o", package)
        verify = [package, "--key", old, "--key", new]
        assert plainview("verify", *verify, data=tmp_path / "nobody").returncode == 0
        assert plainview("verify", package, data=there.data).returncode == 0
        # The receipt is the new log's, so the old key alone does not do; nor does the new one, for what it received.
        for key in (old, new):
            assert plainview("verify", package, "--key", key, data=tmp_path / "nobody").returncode == 3
    old_package = made.root / "package"
    assert plainview("verify", old_package, "--key", old, data=tmp_path / "nobody").returncode == 0


def test_a_new_log_begins_by_naming_the_old_one(made, there):
    restore(there)
    facts = json.loads((made.backup / "backup.json").read_text())
    acts = there.sql(
        "select a.act, a.facts, w.detail from custody_leaf l join custody_act a on a.id = l.act_id"
        " left join custody_words w on w.act_id = a.id where l.epoch_id = 2 order by l.index"
    )
    assert [act for act, _, _ in acts] == ["log.epoch", "backup.restored"]
    assert acts[0][1] == {
        "old_origin": "station.example/custody/1",
        "old_size": facts["log_size"],
        "old_root": facts["root"],
    }
    assert acts[0][2] == {"reason": REASON}


def test_life_goes_on_elsewhere_and_no_identifier_is_given_twice(made, there):
    restore(there)
    before = {line.split()[0] for line in made.run("list").splitlines()}
    outcome = there.take_in("afterwards")
    assert int(outcome["recording"].split("-")[2]) > 100_000
    assert outcome["recording"] not in before
    there.take_in("and once more")
    there.run("backup", there.root / "kept" / "next")
    assert there.check("--deep")[0] == set()


def test_the_app_may_still_not_rewrite_the_log_after_a_restore(there):
    restore(there)
    for statement in ("update custody_act set why = null", "delete from custody_leaf"):
        with pytest.raises(Exception, match="permission denied"):
            there.sql(statement, role="app")


def test_an_act_without_an_index_in_the_dump_is_given_one_after_the_first_leaf(made, there, tmp_path):
    # Made by hand: a backup that was taken while something was at work would hold such a row.
    restore(there, reason="First.")
    there.sql(
        "insert into custody_act (at, act, object, actor, outcome, facts, xid)"
        " values (now(), 'keys.rotated', 'keys', 'system:cli', 'ok', '{}', '1')"
    )
    there.run("restore", "--new-epoch", "Second.")
    acts = there.sql(
        "select a.act from custody_leaf l join custody_act a on a.id = l.act_id where l.epoch_id = 3 order by l.index"
    )
    assert acts == [("log.epoch",), ("keys.rotated",)]
    assert there.check()[0] == set()


# --- in place


def test_in_place_the_same_log_goes_on_where_it_stopped(station):
    """The dump's transaction numbers are far beyond a fresh database's; ordered by them nothing new would be published."""
    size = len(leaves(station.data))
    shutil.rmtree(station.data / "pg")
    answer = station.ask("restore", station.backup)
    assert (answer["origin"], answer["new_epoch"]) == ("station.example/custody/1", False)
    outcome = station.take_in("afterwards")
    acts = [leaf["act"] for leaf in leaves(station.data)]
    assert acts[size:] == ["backup.restored", "recording.received", "recording.probed"]
    station.run("export", outcome["recording"], "-o", station.root / "package")
    assert plainview("verify", station.root / "package", data=station.data).returncode == 0
    assert station.check("--deep")[0] == set()


def test_in_place_the_database_that_was_there_is_kept_aside(station):
    answer = station.ask("restore", station.backup)
    assert (station.data / answer["replaced_database"] / "PG_VERSION").exists()
    assert station.check()[0] == set()


def test_in_place_a_backup_that_is_behind_is_refused_and_nothing_changes(station):
    station.take_in("acknowledged")
    before = (station.data / "log/1/checkpoint").read_bytes()
    assert "could contradict that" in station.run("restore", station.backup, expect=2)
    assert (station.data / "log/1/checkpoint").read_bytes() == before
    assert not list(station.data.glob("pg.*"))
    assert station.check()[0] == set()


def test_in_place_a_backup_that_is_behind_goes_on_in_a_new_log_that_names_the_gap(station):
    behind = len(leaves(station.data))
    lost = station.take_in("acknowledged")
    size = len(leaves(station.data))
    shutil.rmtree(station.data / "pg")
    station.run("restore", station.backup, "--new-epoch", REASON)
    ((facts,),) = station.sql("select facts from custody_act where act = 'log.epoch'")
    assert (facts["old_size"], facts["restored_size"]) == (size, behind)
    assert (station.data / "log/1/checkpoint").read_text().splitlines()[1] == str(size)
    assert lost["recording"] not in station.run("list")
    # Its bytes and its key are still there; offered again it is a recording again, under another name.
    again = station.take_in("acknowledged")
    assert again["recording"] != lost["recording"]
    found, answer = station.check("--deep")
    assert not found, answer


def test_in_place_the_checkpoint_store_is_never_replaced(station):
    shutil.rmtree(station.data / "pg")
    (station.data / "checkpoint-store.sqlite").unlink()
    assert "--new-epoch" in station.run("restore", station.backup, expect=2)
    station.run("restore", station.backup, "--new-epoch", REASON)
    station.take_in("afterwards")
    assert station.check()[0] == set()


def test_a_backup_of_another_installation_is_refused_in_place(station, tmp_path):
    other = tmp_path / "other"
    plainview(
        "init", "--recovery-key", other / "key.json", "--log-name", "other.example", data=other / "data"
    )
    plainview("backup", other / "backup", data=other / "data")
    said = station.run("restore", other / "backup", "--new-epoch", REASON, expect=2)
    assert "belongs to station.example" in said


# --- damaged backups


def flip_dump(station):
    flip(station.backup / "database.dump")


def flip_bundle(station):
    flip(newest(station.backup / "log/1/tile/entries/000.p"))


def flip_facts(station):
    flip(station.backup / "backup.json", b'"root":"')


def another_root(station):
    path = station.backup / "backup.json"
    facts = json.loads(path.read_text()) | {"root": "0" * 64}
    path.write_text(json.dumps(facts, separators=(",", ":"), sort_keys=True))


def no_facts(station):
    (station.backup / "backup.json").unlink()


@pytest.mark.parametrize("damage", [flip_dump, flip_bundle, flip_facts, another_root, no_facts])
def test_a_damaged_backup_is_refused_and_the_directory_is_as_it_was(station, there, damage):
    damage(there)
    restore(there, expect=2)
    assert {path.name for path in there.data.iterdir()} == {"lock"}
    damage(station)
    station.run("restore", station.backup, "--new-epoch", REASON, expect=2)
    assert not (station.data / "restoring.json").exists()
    assert not list(station.data.glob("pg.*"))
    assert station.check()[0] == set()


def test_where_the_database_was_lost_a_refused_restore_makes_none(station):
    another_root(station)
    shutil.rmtree(station.data / "pg")
    station.run("restore", station.backup, "--new-epoch", REASON, expect=2)
    assert {path.name for path in station.data.iterdir()}.isdisjoint({"pg", "pg.new", "restoring.json"})


def test_a_damaged_object_in_a_backup_is_named_and_the_rest_comes_back(there):
    broken = next(there.backup.glob("objects/*/*"))
    flip(broken)
    (there.root / "answer").write_text(restore(there, "--json", expect=1))
    answer = json.loads((there.root / "answer").read_text())
    assert [each["object"] for each in answer["damaged"]] == [broken.name]
    found, _ = there.check()
    assert found == {f"objects/{broken.parent.name}/{broken.name}"}


# --- interruptions


def killed_when(station, arrived, *arguments):
    """Run a command and kill everything of it as soon as something is there; say whether it was in time."""
    process = start(*arguments, data=station.data)
    end_s = time.monotonic() + WAIT_S
    while process.poll() is None and not arrived() and time.monotonic() < end_s:
        time.sleep(0.002)
    is_running = process.poll() is None
    kill_everything(process, station.data)
    process.communicate()
    return is_running


BACKUP_MOMENTS = {
    "begun": lambda new: new / "backup.unfinished.json",
    "dumped": lambda new: new / "database.dump",
    "an object": lambda new: new / "objects",
    "the keys": lambda new: new.with_name(new.name + ".keys"),
}


@pytest.mark.parametrize("moment", BACKUP_MOMENTS)
def test_a_backup_that_was_killed_is_none_until_it_is_made_again(station, moment):
    shutil.rmtree(station.backup.parent)
    awaited = BACKUP_MOMENTS[moment](station.backup)
    assert killed_when(station, awaited.exists, "backup", station.backup)
    if not (station.backup / "backup.json").exists():
        elsewhere = Station(station.root / "elsewhere")
        arguments = ["--recovery-key", station.recovery_key, "--new-epoch", REASON]
        said = elsewhere.run("restore", station.backup, *arguments, expect=2)
        assert "no finished backup" in said
    station.run("backup", station.backup)
    assert not list(station.backup.rglob("*.part"))
    assert not (station.backup / "backup.unfinished.json").exists()
    there = Station(station.root / "there")
    arguments = ["--recovery-key", station.recovery_key, "--new-epoch", REASON]
    there.run("restore", station.backup, *arguments)
    assert there.check("--deep")[0] == set()


RESTORE_MOMENTS = {
    "begun": "restoring.json",
    "keys": "keys",
    "database": "pg",
    "objects": "objects",
    "old log": "log/1",
    "new log": "log/2",
    "new checkpoint": "log/2/checkpoint",
}


@pytest.mark.parametrize("moment", RESTORE_MOMENTS)
def test_a_restore_elsewhere_that_was_killed_is_finished_by_the_same_again(there, moment):
    arguments = ["restore", there.backup, "--recovery-key", there.recovery_key, "--new-epoch", REASON]
    assert killed_when(there, (there.data / RESTORE_MOMENTS[moment]).exists, *arguments)
    if (there.data / "restoring.json").exists():
        (there.root / "x.mp4").write_bytes(b"x")
        assert "was interrupted" in there.run("ingest", there.root / "x.mp4", expect=2)
        there.run(*arguments)
    assert there.check("--deep")[0] == set()
    assert there.sql("select count(*) from custody_epoch") == [(2,)]
    assert there.sql("select count(*) from custody_act where act = 'log.epoch'") == [(1,)]
    there.take_in("afterwards")


@pytest.mark.parametrize("moment", ["restoring.json", "pg.replaced-*", "pg/base"])
def test_a_restore_in_place_that_was_killed_is_finished_by_the_same_again(station, moment):
    arguments = ["restore", station.backup]
    if moment == "pg/base":
        shutil.rmtree(station.data / "pg")
    assert killed_when(station, lambda: list(station.data.glob(moment)), *arguments)
    station.run(*arguments)
    outcome = station.take_in("afterwards")
    assert outcome["recording"] in station.run("list")
    assert station.check("--deep")[0] == set()
    assert len(list(station.data.glob("pg.replaced-*"))) == (moment != "pg/base")
