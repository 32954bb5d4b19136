"""The other commands, and a department's own database."""

import json
import re

import psycopg
import pytest

from plainview.formats.note import parse_vkey
from plainview.service.roles import ensure_database
from simulators.offered_files import footage
from simulators.program import database_of, ingest, plainview

# --- a department's own database


@pytest.fixture(scope="module")
def department(tmp_path_factory):
    """A database server with our three roles, as a department would run one."""
    data = tmp_path_factory.mktemp("d") / "elsewhere"
    with database_of(data) as cluster:
        ensure_database(cluster)
        yield cluster


@pytest.fixture
def urls(department, request):
    """A new, empty database of the department's: DATABASE_URL and DATABASE_OWNER_URL."""
    name = f"dept_{abs(hash(request.node.name))}"
    with psycopg.connect(department.dsn("superuser"), autocommit=True) as connection:
        connection.execute(f"create database {name} owner plainview_owner")
    return {
        "DATABASE_URL": department.dsn("app", dbname=name),
        "DATABASE_OWNER_URL": department.dsn("owner", dbname=name),
    }


def test_a_departments_database_does_all_and_no_other_is_made(urls, tmp_path):
    (tmp_path / "a.mp4").write_bytes(footage("department"))
    data = tmp_path / "data"
    (outcome,), done = ingest(tmp_path / "a.mp4", data=data, env=urls)
    assert outcome["status"] == "received", done.stderr
    assert not (data / "pg").exists()
    # Once the tables are there, the owner is not needed.
    (outcome,), done = ingest(tmp_path / "a.mp4", data=data, env=urls | {"DATABASE_OWNER_URL": None})
    assert outcome["status"] == "duplicate", done.stderr
    made = plainview("export", outcome["recording"], "-o", tmp_path / "package", data=data, env=urls)
    assert made.returncode == 0, made.stderr
    assert plainview("verify", tmp_path / "package", data=data).returncode == 0


def test_without_the_owner_tables_that_are_behind_are_refused(urls, tmp_path):
    done = plainview("init", data=tmp_path / "data", env=urls | {"DATABASE_OWNER_URL": None})
    assert said(done) == 2
    assert "DATABASE_OWNER_URL" in done.stderr


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_role_that_could_rewrite_the_log_is_refused(role, urls, department, tmp_path):
    name = re.search(r"dbname=(\S+)", urls["DATABASE_URL"])[1]
    done = plainview(
        "init", data=tmp_path / "data", env=urls | {"DATABASE_URL": department.dsn(role, dbname=name)}
    )
    assert said(done) == 2
    assert "The server must run as a role that cannot change the rules" in done.stderr
    assert not (tmp_path / "data" / "keys").exists()


@pytest.mark.parametrize(
    "url", ["postgresql://app:hush@127.0.0.1:1/plainview", "nonsense hush", "postgresql://h:hush"]
)
def test_a_database_that_is_not_there_is_a_sentence_without_its_password(url, tmp_path):
    done = plainview("init", data=tmp_path / "data", env={"DATABASE_URL": url})
    assert said(done) == 2
    assert "hush" not in done.stderr


def test_a_database_that_belongs_to_another_data_directory_is_refused(urls, tmp_path):
    assert plainview("init", data=tmp_path / "one", env=urls).returncode == 0
    done = plainview("init", data=tmp_path / "two", env=urls)
    assert said(done) == 2


def said(done):
    """Return the exit code of a command that refused: one sentence, no answer."""
    assert done.stdout == ""
    assert done.stderr.startswith("plainview: "), done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.returncode


# --- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAINVIEW_ZONE", "Mars/Olympus"),
        ("PLAINVIEW_ZONE", "../../etc/passwd"),
        ("PLAINVIEW_WAIT_S", "soon"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_before_anything_is_touched(name, value, tmp_path):
    done = plainview("init", data=tmp_path / "data", env={name: value})
    assert said(done) == 2
    assert name in done.stderr
    assert not (tmp_path / "data").exists()


# --- init, list, keys


def test_init_says_where_the_recovery_key_is_and_which_key_to_publish(tmp_path):
    key = tmp_path / "safe" / "recovery.json"
    done = plainview("init", "--recovery-key", key, "--log-name", "police.example", data=tmp_path / "data")
    assert done.returncode == 0
    assert str(key) in done.stderr
    assert key.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "data" / "recovery-key.json").exists()
    assert parse_vkey(done.stdout.splitlines()[-1].strip()).name == "police.example/custody/1"
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_log_name_that_cannot_be_one_is_refused_and_can_be_given_anew(tmp_path):
    done = plainview("init", "--log-name", "two words", data=tmp_path / "data")
    assert said(done) == 2
    assert not (tmp_path / "data").exists()
    assert plainview("init", "--log-name", "police.example", data=tmp_path / "data").returncode == 0


def test_init_again_changes_nothing(data):
    first = plainview("keys", data=data)
    again = plainview("init", "--log-name", "other.example", "--json", data=data)
    assert json.loads(again.stdout)["key"] == first.stdout.strip()
    assert again.stderr == ""


def test_a_data_directory_that_is_somebodys_home_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "letters").mkdir()
    done = plainview("list", data=tmp_path)
    assert said(done) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


def test_list_of_nothing_is_nothing(tmp_path):
    done = plainview("list", data=tmp_path / "data")
    assert (done.returncode, done.stdout) == (0, "")


def test_list_begins_with_the_newest(data, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.mp4").write_bytes(footage(f"list {name}"))
    found, _ = ingest(tmp_path, data=data)
    done = plainview("list", "--json", data=data)
    assert [json.loads(line)["recording"] for line in done.stdout.splitlines()][:2] == [
        outcome["recording"] for outcome in reversed(found)
    ]


def test_after_a_rotation_of_the_master_key_everything_still_opens(data, tmp_path):
    (tmp_path / "a.mp4").write_bytes(footage("rotated"))
    (outcome,), _ = ingest(tmp_path / "a.mp4", data=data)
    before = (data / "keys" / "master.key").read_bytes()
    done = plainview("keys", "--rotate", "--json", data=data)
    assert json.loads(done.stdout)["rotated"] is True
    assert (data / "keys" / "master.key").read_bytes() != before
    assert plainview("export", outcome["recording"], "-o", tmp_path / "package", data=data).returncode == 0
    (copy,) = (tmp_path / "package" / "data" / "original").iterdir()
    assert copy.read_bytes() == (tmp_path / "a.mp4").read_bytes()


# --- every command


@pytest.mark.parametrize(
    "command", ["ingest", "export", "list", "keys", "init", "fsck", "backup", "restore", "verify"]
)
def test_every_command_explains_itself_and_touches_nothing(command, tmp_path):
    done = plainview(command, "--help", data=tmp_path / "data")
    assert done.returncode == 0
    assert done.stdout.lower().startswith("usage: ") or "Usage: " in done.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words", [["ingest"], ["export", "R-26-00000001-3"], ["nonsense"], ["list", "--nonsense"]]
)
def test_a_command_that_is_mistyped_ends_with_2_and_touches_nothing(words, tmp_path):
    done = plainview(*words, data=tmp_path / "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "data").exists()
