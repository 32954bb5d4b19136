import psycopg
import pytest
from psycopg import sql

from plainview.custody.grants import APPEND_ONLY_TABLES, NO_UPDATE_TABLES
from plainview.custody.models import Words
from plainview.custody.sequence import mark_restored, publish_pending
from simulators.custody_rows import START, SYSTEM, act, ask

COLUMN = {
    "custody_act": "object",
    "custody_leaf": "hash",
    "custody_epoch": "origin",
    "custody_restore": "at",
    "custody_words": "detail",
}
TRIGGERS = {
    "custody_act": "custody_act_append_only",
    "custody_leaf": "custody_leaf_append_only",
    "custody_epoch": "custody_epoch_append_only",
    "custody_restore": "custody_restore_append_only",
    "custody_words": "custody_words_no_update",
}
TABLES = (*APPEND_ONLY_TABLES, *NO_UPDATE_TABLES)


@pytest.fixture
def filled(database, log, postgres):
    """A row in each of the log's tables."""
    from django.db import transaction

    act("a", detail={"name": "A. Clerk"})
    publish_pending(log.signer)
    with transaction.atomic():
        mark_restored(now=START)
    return database


def rows_of(postgres, database):
    return {
        table: postgres.execute(
            "superuser", database, sql.SQL("select * from {}").format(sql.Identifier(table))
        )
        for table in TABLES
    }


def test_every_table_of_the_log_is_named_in_the_grants(undone):
    tables = ask("SELECT tablename FROM pg_tables WHERE tablename LIKE 'custody\\_%%'")
    assert {name for (name,) in tables} == set(TABLES)


def attempts():
    for table in TABLES:
        yield f"update {table} set {COLUMN[table]} = {COLUMN[table]}"
        yield f"truncate {table} cascade"
        yield f"alter table {table} disable trigger all"
        yield f"alter table {table} disable trigger {TRIGGERS[table]}"
        yield f"drop trigger {TRIGGERS[table]} on {table}"
        yield f"alter table {table} alter column {COLUMN[table]} drop not null"
        yield f"drop table {table} cascade"
        yield f"alter table {table} owner to plainview_app"
        yield f"create rule mine as on insert to {table} do instead nothing"
        if table in APPEND_ONLY_TABLES:
            yield f"delete from {table}"
    yield "set role plainview_owner"
    yield "set role postgres"
    yield "set session authorization plainview_owner"
    yield "set session_replication_role = replica"
    yield "create or replace function custody_refuse_change() returns trigger language plpgsql as $$ begin end $$"
    yield "drop function custody_refuse_change() cascade"


@pytest.mark.parametrize("statement", list(attempts()))
def test_the_app_can_neither_change_the_log_nor_lift_what_forbids_it(undone, postgres, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgres.execute("app", undone, statement)


def test_the_app_cannot_grant_itself_what_was_taken_from_it(undone, postgres):
    rights = "select relname, relacl::text from pg_class where relname like 'custody%' order by 1"
    before = postgres.execute("app", undone, rights)
    # PostgreSQL answers with a warning and grants only what the role could grant: nothing.
    for table in TABLES:
        postgres.execute("app", undone, f"grant all on {table} to plainview_app with grant option")
    assert postgres.execute("app", undone, rights) == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_a_slip_of_the_owner_is_refused_too(filled, postgres, table, verb):
    statement = {
        "update": f"update {table} set {COLUMN[table]} = {COLUMN[table]}",
        "delete": f"delete from {table}",
        "truncate": f"truncate {table} cascade",
    }[verb]
    before = rows_of(postgres, filled)
    assert all(before.values())
    if (table, verb) == ("custody_words", "delete"):
        assert postgres.execute("owner", filled, statement) == 1
        return
    with pytest.raises(psycopg.errors.RestrictViolation, match=f"is append-only: {verb.upper()} refused"):
        postgres.execute("owner", filled, statement)
    assert rows_of(postgres, filled) == before


def test_words_can_be_destroyed_by_the_app_and_the_act_stays(filled, log):
    before = log.files()
    assert Words.objects.all().delete()[0] == 1
    assert ask("SELECT object, detail IS NOT NULL FROM custody_act") == [("a", True)]
    publish_pending(log.signer)
    assert log.files() == before


def test_an_act_or_a_leaf_cannot_stand_twice(filled, postgres):
    for statement in (
        "INSERT INTO custody_leaf SELECT act_id, index + 1, hash, epoch_id FROM custody_leaf",
        "INSERT INTO custody_act OVERRIDING SYSTEM VALUE SELECT * FROM custody_act",
        "INSERT INTO custody_epoch SELECT * FROM custody_epoch",
    ):
        with pytest.raises(psycopg.errors.UniqueViolation):
            postgres.execute("owner", filled, statement)


@pytest.mark.parametrize("column", ["id", "xid"])
def test_the_app_cannot_invent_what_orders_an_act(filled, postgres, column):
    statement = (
        f"INSERT INTO custody_act ({column}, at, act, object, actor, outcome, facts)"
        " VALUES ('1', now(), 'keys.rotated', 'keys', 'system:tests', 'ok', '{}')"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgres.execute("app", filled, statement)


def test_an_index_is_given_to_one_act_only_and_never_a_negative_one(filled):
    from django.db import IntegrityError, transaction

    second = act("b")
    for index, constraint in ((0, "custody_leaf_one_act_an_index"), (-1, "custody_leaf_index_from_0")):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ask(
                "INSERT INTO custody_leaf (act_id, epoch_id, index, hash) VALUES (%s, 1, %s, '')",
                second,
                index,
            )


def test_two_epochs_cannot_share_an_origin(filled):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="custody_epoch_origin"), transaction.atomic():
        ask(
            "INSERT INTO custody_epoch SELECT epoch + 1, origin, vkey, started_at, after_act_id FROM custody_epoch"
        )


def test_an_epoch_has_no_negative_number(filled):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="custody_epoch_epoch_check"), transaction.atomic():
        ask(
            "INSERT INTO custody_epoch SELECT -1, 'x/custody/2', vkey, started_at, after_act_id FROM custody_epoch"
        )


def test_the_system_that_records_is_not_a_user(undone):
    assert SYSTEM.pseudonym.startswith("system:")
