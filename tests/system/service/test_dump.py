import os
import stat

import psycopg
import pytest

from plainview.service.dump import dump_database, restore_database
from plainview.service.errors import DumpError
from plainview.service.roles import grant_privileges

TABLES = """
create table act (id bigint generated always as identity primary key, word text);
create table note (id bigint generated always as identity primary key, word text);
revoke update, delete on act from plainview_app;
insert into act (word) values ('reçu'), ('exported');
"""
GRANTS = "select relname, relacl::text from pg_class where relname in ('act', 'note') order by 1"


def run(cluster, role, statement, *, dbname=None):
    with psycopg.connect(cluster.dsn(role, dbname=dbname)) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else answer.rowcount


@pytest.fixture(scope="module")
def filled(cluster):
    run(cluster, "owner", TABLES)
    return cluster


@pytest.fixture
def empty(filled):
    """The name of an empty database with our privileges."""
    with psycopg.connect(filled.dsn("owner", dbname="postgres"), autocommit=True) as connection:
        connection.execute("create database restored")
        grant_privileges(filled.dsn("owner", dbname="restored"))
        yield "restored"
    # As the superuser: an autovacuum worker may be in it, and the owner may not send that away.
    with psycopg.connect(filled.dsn("superuser"), autocommit=True) as connection:
        connection.execute("drop database restored with (force)")


@pytest.fixture(scope="module")
def dump(filled, tmp_path_factory):
    path = tmp_path_factory.mktemp("dump") / "database.dump"
    dump_database(filled.dsn("owner"), path)
    return path


def test_rows_and_identities_come_back(filled, empty, dump):
    restore_database(filled.dsn("owner", dbname=empty), dump)
    assert run(filled, "app", "select word from act order by id", dbname=empty) == [("reçu",), ("exported",)]
    assert run(filled, "app", "insert into act (word) values ('x') returning id", dbname=empty) == [(3,)]


def test_what_the_app_may_not_change_it_may_not_change_after_a_restore(filled, empty, dump):
    restore_database(filled.dsn("owner", dbname=empty), dump)
    assert run(filled, "owner", GRANTS, dbname=empty) == run(filled, "owner", GRANTS)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(filled, "app", "delete from act", dbname=empty)


def test_tables_made_after_a_restore_are_the_apps_to_use(filled, empty, dump):
    restore_database(filled.dsn("owner", dbname=empty), dump)
    run(filled, "owner", "create table later (id int)", dbname=empty)
    assert run(filled, "app", "insert into later values (1)", dbname=empty) == 1


def test_a_dump_is_private_and_leaves_no_temporary_file(dump):
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert [path.name for path in dump.parent.iterdir()] == [dump.name]


def test_a_new_dump_replaces_the_one_before(filled, tmp_path):
    path = tmp_path / "database.dump"
    path.write_bytes(b"old")
    dump_database(filled.dsn("owner"), path)
    assert path.read_bytes().startswith(b"PGDMP")


def test_a_database_with_tables_is_not_restored_over(filled, dump):
    with pytest.raises(DumpError, match="not empty"):
        restore_database(filled.dsn("owner"), dump)
    assert run(filled, "owner", "select count(*) from act")[0][0] == 2


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_dump_leaves_the_database_empty(filled, empty, dump, tmp_path, damage):
    broken = tmp_path / "broken.dump"
    whole = dump.read_bytes()
    broken.write_bytes(whole[: len(whole) * 3 // 4] if damage == "cut" else b"not a dump")
    with pytest.raises(DumpError, match="pg_restore failed"):
        restore_database(filled.dsn("owner", dbname=empty), broken)
    assert run(
        filled, "owner", "select count(*) from pg_tables where schemaname = 'public'", dbname=empty
    ) == [(0,)]


def test_a_failed_dump_leaves_the_old_one_and_says_no_password(filled, tmp_path):
    path = tmp_path / "database.dump"
    path.write_bytes(b"old")
    keywords = {**filled.keywords("owner"), "password": "very-secret"}
    with pytest.raises(DumpError, match="pg_dump failed") as caught:
        dump_database(psycopg.conninfo.make_conninfo(**keywords), path)
    assert "very-secret" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_dump_into_a_folder_that_is_not_there_is_an_error(filled, tmp_path):
    with pytest.raises(DumpError, match="could not be copied"):
        dump_database(filled.dsn("owner"), tmp_path / "absent" / "database.dump")


def test_restoring_into_nowhere_is_an_error_without_the_password(filled, dump):
    keywords = {**filled.keywords("owner"), "password": "very-secret"}
    with pytest.raises(DumpError, match="cannot be used") as caught:
        restore_database(psycopg.conninfo.make_conninfo(**keywords), dump)
    assert "very-secret" not in str(caught.value)


def test_the_environment_of_the_caller_does_not_lead_astray(filled, tmp_path, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere -c nonsense=on")
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    path = tmp_path / "database.dump"
    dsn = filled.dsn("owner")
    dump_database(dsn, path)
    assert path.stat().st_size > 0
    assert os.environ["PGSERVICE"] == "elsewhere"
