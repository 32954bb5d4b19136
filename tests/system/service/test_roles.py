import os

import psycopg
import pytest
from psycopg import sql

from plainview.service.cluster import DATABASE, ROLE_NAMES, external_database
from plainview.service.errors import NoSuchLoginError, PostgresError, PrivilegedRoleError
from plainview.service.roles import check_not_privileged, ensure_database, grant_privileges

TABLES = """
create table if not exists act (id bigint generated always as identity primary key, word text);
create table if not exists note (id bigint generated always as identity primary key, word text);
revoke update, delete, truncate on act from plainview_app;
insert into act (word) values ('received');
"""


def run(cluster, role, statement, *, dbname=None):
    with psycopg.connect(cluster.dsn(role, dbname=dbname)) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else answer.rowcount


@pytest.fixture(scope="module")
def tables(cluster):
    run(cluster, "owner", TABLES)
    return cluster


@pytest.fixture
def stranger(cluster):
    """A login that nobody granted anything."""
    name = f"stranger_{os.getpid()}"
    with psycopg.connect(cluster.dsn("superuser", dbname=DATABASE), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password 'x'").format(sql.Identifier(name)))
        yield {**cluster.keywords("app"), "user": name, "password": "x"}
        connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_the_app_reads_and_writes_the_rows_of_tables_made_by_the_owner(tables):
    assert run(tables, "app", "insert into note (word) values ('a')") == 1
    assert run(tables, "app", "update note set word = 'b'") >= 1
    assert run(tables, "app", "delete from note") >= 1
    assert run(tables, "app", "insert into act (word) values ('exported')") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update act set word = 'never happened'",
        "delete from act",
        "truncate act",
        "truncate note",
        "alter table act disable trigger all",
        "alter table act add column extra text",
        "drop table act",
        "set role plainview_owner",
        "set role postgres",
        "set session authorization plainview_owner",
        "set session_replication_role = replica",
        "create table mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        "create role mine",
        "alter role plainview_app superuser",
        "create trigger mine before insert on note execute function suppress_redundant_updates_trigger()",
        "copy note from program 'true'",
        "select pg_read_file('/etc/passwd')",
    ],
)
def test_the_app_cannot_lift_what_binds_it(tables, statement):
    before = run(tables, "owner", "select relacl::text from pg_class where relname = 'act'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(tables, "app", statement)
    assert run(tables, "owner", "select relacl::text from pg_class where relname = 'act'") == before
    assert run(tables, "owner", "select count(*) from act where word = 'received'")[0][0] >= 1


@pytest.mark.parametrize("grantee", ["plainview_app", "public"])
def test_the_app_cannot_grant_itself_more(tables, grantee):
    run(
        tables, "app", f"grant update, delete on act to {grantee}"
    )  # PostgreSQL only warns that nothing was granted
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(tables, "app", "delete from act")


@pytest.mark.parametrize(
    "statement", ["select * from act", "insert into note (word) values ('x')", "create table p (i int)"]
)
def test_the_portal_starts_with_nothing(tables, statement):
    with pytest.raises(
        (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
        )
    ):
        run(tables, "portal", statement)


@pytest.mark.parametrize("role", ["app", "portal"])
@pytest.mark.parametrize("dbname", ["postgres", "template1"])
def test_only_the_owner_gets_into_the_other_databases(cluster, role, dbname):
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        run(cluster, role, "select 1", dbname=dbname)


def test_a_role_nobody_admitted_does_not_get_in(stranger):
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(**stranger)


def test_the_owner_can_make_a_database_for_tests_with_the_same_privileges(cluster):
    with psycopg.connect(cluster.dsn("owner", dbname="postgres"), autocommit=True) as connection:
        connection.execute("create database for_tests")
    grant_privileges(cluster.dsn("owner", dbname="for_tests"))
    run(cluster, "owner", TABLES, dbname="for_tests")
    assert run(cluster, "app", "select word from act", dbname="for_tests") == [("received",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(cluster, "app", "delete from act", dbname="for_tests")


def test_setting_up_again_changes_nothing_that_counts(tables):
    facts = "select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname like 'plainview%' order by 1"
    before = run(tables, "superuser", facts)
    ensure_database(tables)
    assert run(tables, "superuser", facts) == before
    assert before == [
        ("plainview_app", False, False, False),
        ("plainview_owner", False, True, False),
        ("plainview_portal", False, False, False),
    ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(tables, "app", "delete from act")


def test_setting_up_again_undoes_a_drifted_password_and_a_raised_role(cluster):
    run(cluster, "superuser", "alter role plainview_app superuser password 'drifted'")
    with pytest.raises(psycopg.OperationalError):
        run(cluster, "app", "select 1")
    ensure_database(cluster)
    check_not_privileged(cluster.dsn("app"))


def test_passwords_are_stored_as_scram_verifiers(cluster):
    stored = run(cluster, "superuser", "select rolpassword from pg_authid where rolname like 'plainview%'")
    assert len(stored) == 3
    assert all(verifier.startswith("SCRAM-SHA-256$") for (verifier,) in stored)


@pytest.mark.parametrize("role", ["app", "portal"])
def test_the_roles_that_serve_are_accepted(tables, role):
    check_not_privileged(tables.dsn(role))


@pytest.mark.parametrize(
    ("role", "problem"), [("owner", "owns the database"), ("superuser", "is a superuser")]
)
def test_the_server_refuses_to_run_as_a_role_that_could_lift_its_rules(tables, role, problem):
    with pytest.raises(PrivilegedRoleError, match=problem):
        check_not_privileged(tables.dsn(role, dbname=DATABASE))


@pytest.mark.parametrize(
    ("change", "undo", "problem"),
    [
        (
            "grant plainview_owner to plainview_app",
            "revoke plainview_owner from plainview_app",
            "owns the database",
        ),
        (
            "grant create on schema public to plainview_app",
            "revoke create on schema public from plainview_app",
            "may create tables",
        ),
        ("alter role plainview_app bypassrls", "alter role plainview_app nobypassrls", "row-level"),
        ("alter role plainview_app createrole", "alter role plainview_app nocreaterole", "create roles"),
        (
            "create table owned (i int); alter table owned owner to plainview_app",
            "drop table owned",
            "owns tables",
        ),
    ],
)
def test_a_role_that_was_given_too_much_is_refused(tables, change, undo, problem):
    with psycopg.connect(tables.dsn("superuser", dbname=DATABASE), autocommit=True) as connection:
        connection.execute(change)
        try:
            with pytest.raises(PrivilegedRoleError, match=problem):
                check_not_privileged(tables.dsn("app"))
        finally:
            connection.execute(undo)
    check_not_privileged(tables.dsn("app"))


def test_a_database_that_does_not_answer_is_an_error_without_the_password(cluster):
    keywords = {**cluster.keywords("app"), "password": "very-secret"}
    with pytest.raises(PostgresError) as caught:
        check_not_privileged(psycopg.conninfo.make_conninfo(**keywords))
    assert "very-secret" not in str(caught.value)


def address(cluster, role):
    login = cluster.keywords(role)
    return f"postgresql://{login['user']}:{login['password']}@/{login['dbname']}?host={login['host']}&port={login['port']}"


def test_an_external_database_is_used_through_the_same_type(tables):
    outside = external_database(address(tables, "app"), address(tables, "owner"))
    ensure_database(outside)
    assert outside.socket_dir is None
    assert outside.role_name("app") == ROLE_NAMES["app"]
    check_not_privileged(outside.dsn("app"))
    run(outside, "owner", "create table if not exists later (id int)")
    assert run(outside, "app", "insert into later values (1)") == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(outside, "app", "delete from act")


def test_an_external_database_without_its_owner_serves_but_does_not_migrate(tables):
    outside = external_database(address(tables, "app"))
    ensure_database(outside)
    assert run(outside, "app", "select 1") == [(1,)]
    with pytest.raises(NoSuchLoginError, match="DATABASE_OWNER_URL"):
        outside.dsn("owner")


def test_an_owner_that_does_not_own_is_named(tables):
    outside = external_database(address(tables, "app"), address(tables, "portal"))
    with pytest.raises(PostgresError, match="could not be set up"):
        ensure_database(outside)
