import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from plainview.accounts.rules import NOBODY, Viewer
from plainview.custody.models import Act
from plainview.tasks.actions import close_task, open_task
from plainview.tasks.errors import NoSuchTaskError, TaskClosedError, UnknownAnswerError, UnknownKindError
from plainview.tasks.models import Task
from plainview.tasks.queries import access_task, done_tasks, open_tasks
from simulators.constraints import constraints_of
from simulators.custody_rows import CLERK, START, SYSTEM, last_act
from simulators.databases import at_once

CUSTODIAN = Viewer(user=1, pseudonym="user:01", roles=frozenset({"custodian"}))
OFFICER = Viewer(user=2, pseudonym="user:02", roles=frozenset({"officer"}))
ABOUT = "original:" + "0" * 32
LATER = START + timedelta(hours=1)


def ask(about=ABOUT, *, kind="quarantined_file", now=START, **more):
    open_task(
        **{"kind": kind, "about": about, "why": "It holds no picture.", "actor": SYSTEM, "now": now} | more
    )
    return Task.objects.latest("pk")


def answer(task, words="kept", *, viewer=CUSTODIAN, now=LATER):
    close_task(key=task.pk, answer=words, viewer=viewer, actor=CLERK, now=now)


def facts():
    return json.loads(last_act()["facts"])


# --- asking and answering


def test_asking_is_an_act_with_what_happened_behind_its_commitment(undone):
    task = ask(moment_ms=4200, due_at=LATER)
    row = last_act()
    assert (row["act"], row["object"], row["actor"]) == ("task.opened", ABOUT, SYSTEM.pseudonym)
    assert facts() == {"kind": "quarantined_file"}
    assert json.loads(row["detail_words"]) == {"why": "It holds no picture."}
    assert (task.role, task.opened_at, task.due_at, task.moment_ms) == ("custodian", START, LATER, 4200)


def test_answering_is_an_act_and_says_who(undone):
    task = ask()
    answer(task)
    row = last_act()
    assert (row["act"], row["object"], row["actor"]) == ("task.closed", ABOUT, CLERK.pseudonym)
    assert facts() == {"kind": "quarantined_file", "answer": "kept"}
    task.refresh_from_db()
    assert (task.closed_at, task.answer, task.closed_by) == (LATER, "kept", CLERK.pseudonym)


def test_the_same_question_is_not_asked_twice_while_it_is_open(undone):
    task = ask()
    before = Act.objects.count()
    assert ask(now=LATER) == task
    assert (Task.objects.count(), Act.objects.count()) == (1, before)
    answer(task)
    assert ask(now=LATER) != task


def test_another_kind_or_another_thing_is_another_question(undone):
    assert len({ask().pk, ask(kind="parked_step").pk, ask("R-26-00004217-5").pk}) == 3


@pytest.mark.parametrize(
    ("refused", "do"),
    [
        (UnknownKindError, lambda task: ask(kind="gap")),
        (UnknownAnswerError, lambda task: answer(task, "again")),
        (NoSuchTaskError, lambda task: answer(task, viewer=OFFICER)),
        (NoSuchTaskError, lambda task: answer(task, viewer=NOBODY)),
        (NoSuchTaskError, lambda task: answer(Task(pk=task.pk + 1))),
    ],
)
def test_what_cannot_be_asked_or_answered_changes_nothing(undone, refused, do):
    task = ask()
    before = Act.objects.count(), list(Task.objects.values())
    with pytest.raises(refused):
        do(task)
    assert (Act.objects.count(), list(Task.objects.values())) == before


def test_a_question_that_was_answered_is_not_answered_again(undone):
    task = ask()
    answer(task)
    before = Act.objects.count()
    with pytest.raises(TaskClosedError, match=r"answered already \(kept\)"):
        answer(task, "asked_again")
    task.refresh_from_db()
    assert (task.answer, Act.objects.count()) == ("kept", before)


def test_absent_and_not_yours_answer_alike(undone):
    task = ask()
    words = set()
    for key, viewer in ((task.pk, OFFICER), (task.pk + 1, CUSTODIAN)):
        for read in (
            lambda: access_task(viewer=viewer, key=key),  # noqa: B023 - called at once
            lambda: close_task(key=key, answer="kept", viewer=viewer, actor=CLERK, now=LATER),  # noqa: B023 - the same
        ):
            with pytest.raises(NoSuchTaskError) as refused:
                read()
            words.add(str(refused.value).replace(str(key), "1"))
    assert len(words) == 1


def test_of_two_people_who_answer_at_once_the_second_is_told(database):
    task = ask()
    outcomes = at_once(lambda: answer(task), lambda: answer(task, "asked_again"))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "TaskClosedError"]
    assert Act.objects.filter(act="task.closed").count() == 1
    task.refresh_from_db()
    assert task.answer == ("kept" if outcomes[0] is None else "asked_again")


def test_of_two_who_ask_the_same_at_once_one_question_comes(database):
    assert at_once(open_one, open_one) == [None, None]
    assert Task.objects.count() == Act.objects.filter(act="task.opened").count() == 1


def open_one():
    open_task(kind="parked_step", about=ABOUT, why="", actor=SYSTEM, now=START)


# --- reading


def test_what_is_due_first_is_on_top_and_what_has_no_date_last(undone):
    ask("a:1", now=LATER)
    ask("a:2", due_at=LATER)
    ask("a:3", due_at=START)
    ask("a:4", now=START)
    assert [task.about for task in open_tasks(viewer=CUSTODIAN)] == ["a:3", "a:2", "a:4", "a:1"]


def test_nobody_sees_what_is_asked_of_others(undone):
    task = ask()
    assert open_tasks(viewer=OFFICER) == open_tasks(viewer=NOBODY) == []
    assert [known.key for known in open_tasks(viewer=Viewer(is_operator=True))] == [task.pk]
    assert access_task(viewer=CUSTODIAN, key=task.pk) == open_tasks(viewer=CUSTODIAN)[0]
    answer(task)
    assert done_tasks(viewer=OFFICER, now=LATER) == []


def test_what_was_answered_is_shown_for_a_week_the_newest_on_top(undone):
    first, second = ask("a:1"), ask("a:2")
    answer(first, now=START)
    answer(second, now=LATER)
    assert open_tasks(viewer=CUSTODIAN) == []
    for after, shown in (
        (timedelta(hours=2), ["a:2", "a:1"]),
        (timedelta(days=7), ["a:2"]),
        (timedelta(days=7, hours=1), []),
    ):
        assert [task.about for task in done_tasks(viewer=CUSTODIAN, now=START + after)] == shown


# --- what the database itself refuses


def task_row(**columns):
    given = {"kind": "quarantined_file", "about": ABOUT, "role": "custodian", "opened_at": START}
    return Task.objects.create(**given | columns)


BAD_ROWS = [
    ("tasks_one_open_question", lambda: [task_row(), task_row()]),
    ("tasks_kind_known", lambda: task_row(kind="gap")),
    ("tasks_role_known", lambda: task_row(role="root")),
    ("tasks_closed_with_an_answer", lambda: task_row(closed_at=START)),
    ("tasks_closed_with_an_answer", lambda: task_row(closed_at=START, answer="kept")),
    ("tasks_closed_with_an_answer", lambda: task_row(closed_at=START, closed_by="user:01")),
    ("tasks_closed_with_an_answer", lambda: task_row(answer="kept", closed_by="user:01")),
    ("tasks_closed_with_an_answer", lambda: task_row(answer="kept")),
    ("tasks_closed_with_an_answer", lambda: task_row(closed_by="user:01")),
]


@pytest.mark.parametrize(("constraint", "break_it"), BAD_ROWS, ids=[name for name, _ in BAD_ROWS])
def test_the_database_refuses_a_row_that_breaks_a_rule(undone, constraint, break_it):
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        break_it()


def test_every_constraint_of_tasks_has_a_row_that_breaks_it():
    assert constraints_of("tasks") <= {name for name, _ in BAD_ROWS}


def test_a_broken_rule_that_is_not_about_asking_twice_is_not_taken_for_it(undone, monkeypatch):
    monkeypatch.setattr("plainview.tasks.actions.ASKED_ONCE", "another")
    ask()
    with pytest.raises(IntegrityError, match="tasks_one_open_question"), transaction.atomic():
        ask()
