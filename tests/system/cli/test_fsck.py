"""plainview fsck names what was damaged, and nothing that only follows from it."""

import pytest

from simulators.program import plainview
from simulators.stations import flip, make_station, newest, stored_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_station(tmp_path_factory.mktemp("station"))


@pytest.fixture
def station(made, tmp_path):
    return made.copy(tmp_path)


@pytest.mark.parametrize("options", [(), ("--deep",), ("--no-keys",)])
def test_a_sound_installation_is_sound(made, options):
    found, answer = made.check(*options)
    assert not found
    assert not answer["notices"]
    assert answer["checked"]["objects"] == 4
    assert answer["checked"]["leaves"] == answer["checked"]["acts"] >= 8


def test_what_fsck_found_is_told_in_words(made):
    assert made.run("fsck").startswith("Sound. Log: ")


def test_where_there_is_nothing_to_check_nothing_is_made(tmp_path):
    done = plainview("fsck", data=tmp_path / "none")
    assert done.returncode == 2
    assert "holds no database" in done.stderr
    assert not (tmp_path / "none").exists()


def an_object(station, *, recording="second"):
    outcome = station.ask("list") if recording is None else None
    assert outcome is None
    (row,) = station.sql(
        "select o.object_id, r.identifier from evidence_original o join evidence_part p on p.original_id = o.id"
        " join evidence_recording r on r.id = p.recording_id where p.offered_name = %s",
        f"{recording}.mp4",
    )
    return row


def test_a_flipped_bit_in_an_object_is_named_with_its_recording_and_seconds(station):
    object_id, identifier = an_object(station)
    path = station.data / "objects" / object_id[:2] / object_id
    flip(path)
    for options in ((), ("--deep",)):
        found, answer = station.check(*options)
        assert found == {f"objects/{object_id[:2]}/{object_id}"}
        (finding,) = answer["findings"]
        assert finding["recording"] == identifier
        assert finding["problem"].startswith("altered in MiB 0 (second 0.0 to ")


def test_a_lost_object_is_named(station):
    object_id, identifier = an_object(station)
    (station.data / "objects" / object_id[:2] / object_id).unlink()
    _, answer = station.check()
    (finding,) = answer["findings"]
    assert (finding["recording"], finding["problem"][:7]) == (identifier, "missing")


def a_tile(station):
    return newest(station.data / "log/1/tile/0/000.p")


def a_bundle(station):
    return newest(station.data / "log/1/tile/entries/000.p")


def flip_tile(station):
    flip(a_tile(station))
    return str(a_tile(station).relative_to(station.data))


def flip_bundle(station):
    flip(a_bundle(station))
    return str(a_bundle(station).relative_to(station.data))


def flip_checkpoint(station):
    flip(station.data / "log/1/checkpoint")
    return "log/1/checkpoint"


def lose_checkpoint(station):
    (station.data / "log/1/checkpoint").unlink()
    return "log/1/checkpoint"


def flip_checkpoint_store(station):
    path = station.data / "checkpoint-store.sqlite"
    flip(path, stored_in(path, "select note from last_checkpoint"))
    return "checkpoint-store.sqlite"


def lose_checkpoint_store(station):
    (station.data / "checkpoint-store.sqlite").unlink()
    return "checkpoint-store.sqlite"


def flip_key(station):
    path = station.data / "keys/keys.sqlite"
    flip(path, stored_in(path, "select wrapped from object_keys"))
    return "keys/keys.sqlite"


def flip_signing_key(station):
    path = station.data / "keys/keys.sqlite"
    flip(path, stored_in(path, "select sealed from secrets"))
    return "keys/keys.sqlite"


def flip_master_key(station):
    flip(station.data / "keys/master.key")
    return "keys/master.key"


def lose_keys(station):
    for path in (station.data / "keys").iterdir():
        path.unlink()
    return "keys/keys.sqlite"


def flip_pin(station):
    (path,) = (station.data / "trust").glob("*.vkey")
    flip(path)
    return f"trust/{path.name}"


@pytest.mark.parametrize(
    "damage",
    [
        flip_tile,
        flip_bundle,
        flip_checkpoint,
        lose_checkpoint,
        flip_checkpoint_store,
        lose_checkpoint_store,
        flip_key,
        flip_signing_key,
        flip_master_key,
        lose_keys,
        flip_pin,
    ],
)
def test_a_damaged_file_is_named_and_nothing_else_is(station, damage):
    where = damage(station)
    found, answer = station.check()
    assert found == {where}, answer
    assert station.check("--deep")[0] == {where}


# From the damage a superuser does to the row that fsck names; {0} is what the statement returns.
ROWS = {
    "an act's object": (
        "update custody_act set object = 'R-26-00000009-0' where id = 2 returning id",
        "custody_act, row {0}",
    ),
    "a fact of an act": (
        "update custody_act set facts = jsonb_set(facts, '{sha256}', '\"00\"') where id = 2 returning id",
        "custody_act, row {0}",
    ),
    "an act's time": (
        "update custody_act set at = at - interval '1 second' where id = 3 returning id",
        "custody_act, row {0}",
    ),
    "an act's commitment": (
        "update custody_act set session = repeat('0', 64) where id = 2 returning id",
        "custody_act, row {0}",
    ),
    "an act that makes no leaf": (
        "update custody_act set act = 'nothing.known' where id = 2 returning id",
        "custody_act, row {0}",
    ),
    "an act added": (
        (
            "insert into custody_act (at, act, object, actor, outcome, facts, xid)"
            " values (now(), 'keys.rotated', 'keys', 'system:cli', 'ok', '{}', '3') returning id"
        ),
        "custody_act, row {0}",
    ),
    "an act and its leaf removed": (
        (
            "with w as (delete from custody_words where act_id = 3), l as (delete from custody_leaf where act_id = 3)"
            " delete from custody_act where id = 3 returning id"
        ),
        "custody_act",
    ),
    "a leaf's row removed": (
        "delete from custody_leaf where act_id = 2 returning act_id",
        "custody_leaf, row {0}",
    ),
    "the last leaf's row removed": (
        "delete from custody_leaf where index = (select max(index) from custody_leaf) returning act_id",
        "custody_leaf, row {0}",
    ),
    "a leaf's hash": (
        "update custody_leaf set hash = repeat('x', 32)::bytea where act_id = 2 returning act_id",
        "custody_leaf, row {0}",
    ),
    "words": (
        'update custody_words set detail = \'{"offered_name": "other.mp4"}\' where act_id = 2 returning act_id',
        "custody_words, row {0}",
    ),
    "a salt": (
        "update custody_words set session_salt = repeat('x', 32)::bytea where act_id = 2 returning act_id",
        "custody_words, row {0}",
    ),
    "an original's digest": (
        "update evidence_original set sha256 = repeat('0', 64) where id = 1 returning object_id",
        "evidence_original {0}",
    ),
    "an original's size": (
        "update evidence_original set size_bytes = size_bytes - 1 where id = 1 returning object_id",
        "evidence_original {0}",
    ),
    "an original's object": (
        "update evidence_original set object_id = repeat('0', 32) where id = 1 returning object_id",
        "evidence_original {0}",
    ),
    "a quarantined original removed": (
        "delete from evidence_original where state = 'quarantined' returning object_id",
        "evidence_original {0}",
    ),
    "a recording given another original": (
        "update evidence_part set original_id = 2 where id = 1 returning id",
        "evidence_part",
    ),
    "a recording removed": (
        (
            "with p as (delete from evidence_part where recording_id = 1)"
            " delete from evidence_recording where id = 1 returning id"
        ),
        "evidence_recording",
    ),
    "a recording added": (
        (
            "insert into evidence_recording (identifier, source, received_at, zone, clock_source, trigger_on_reason,"
            " trigger_off_reason) values ('R-26-00000099-9', 'import', now(), 'UTC', 'unknown', '', '') returning id"
        ),
        "evidence_recording",
    ),
    "a table of seconds": (
        "update evidence_probe set chunk_times = '\\x00' where id = 1 returning act_id",
        "evidence_probe of act {0}",
    ),
    "the log's key": (
        "update custody_epoch set vkey = replace(vkey, right(vkey, 8), 'AAAAAAAA') returning epoch",
        "custody_epoch {0}",
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_a_superuser_changed_is_named_and_nothing_else_is(station, what):
    statement, where = ROWS[what]
    (row,) = station.sql(statement)
    found, answer = station.check()
    assert found == {where.format(row[0])}, answer


def test_words_that_were_destroyed_are_no_finding(station):
    station.sql("delete from custody_words where act_id = 2")
    assert station.check()[0] == set()


def test_what_an_interruption_leaves_is_a_notice(station):
    (station.data / "objects/00").mkdir(exist_ok=True)
    (station.data / "objects/00" / ("0" * 32)).write_bytes(b"left over")
    station.sql(
        "insert into custody_act (at, act, object, actor, outcome, facts)"
        " values (now(), 'keys.rotated', 'keys', 'system:cli', 'ok', '{}')"
    )
    found, answer = station.check()
    assert not found
    assert {each["where"] for each in answer["notices"]} == {f"objects/00/{'0' * 32}", "custody_act"}


def test_a_lost_database_is_said_to_be_lost_and_none_is_made(station):
    (station.data / "pg").rename(station.root / "pg-away")
    assert "it was lost or belongs elsewhere" in station.run("fsck", expect=2)
    assert not (station.data / "pg").exists()
