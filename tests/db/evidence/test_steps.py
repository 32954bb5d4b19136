from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from plainview.accounts.rules import Viewer
from plainview.custody.models import Act
from plainview.custody.record import Actor
from plainview.evidence import step_actions as steps
from plainview.evidence import step_queries
from plainview.evidence.errors import AlreadyReceivedError
from plainview.evidence.models import Cue, Derivative, Original, SearchRow, Step, Transcript
from plainview.evidence.rules import MOST_ATTEMPTS
from plainview.evidence.watch_queries import watched
from plainview.tasks.errors import NoSuchTaskError, TaskClosedError
from plainview.tasks.queries import open_tasks
from simulators.custody_rows import CLERK, START
from simulators.databases import at_once
from simulators.roster import PROBE, digest, original, receive

OPERATOR = Viewer(is_operator=True)
WORKER = Actor("system:pipeline")
BY = {"actor": WORKER, "now": START}
BAD = steps.Failure("decoder_stopped", "The decoder was stopped: memory.")
FULL = steps.Failure("disk_full", "The disk is full.")


def jobs(*statuses):
    """Return step, priority and moment of the jobs that wait."""
    rows = ProcrastinateJob.objects.filter(status__in=statuses or ("todo",), task_name=steps.JOB)
    return [
        (row.args["name"], row.priority, row.scheduled_at, row.args["times"]) for row in rows.order_by("id")
    ]


def finish_jobs():
    """Have the queue's jobs done, whatever they were."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing'")


def key(word="a"):
    return Original.objects.get(sha256=original(word).sha256).pk


def claim(name="derive", word="a", **more):
    return steps.claim_step(**({"original": key(word), "name": name, **BY} | more))


def made(kind="viewing_copy", word="x"):
    return steps.DerivativeFacts(
        kind=kind,
        object_id=digest(kind, word)[:32],
        object_bytes=1100,
        object_sha256=digest("sealed", word),
        sha256=digest("plain", kind, word),
        size_bytes=1000,
        tool="plainview 0.1.0",
        settings={"crf": 23},
        facts={"duration_ms": 5000},
    )


def heard(*texts, engine="pocketsphinx"):
    cues = [
        steps.CueFacts(1000 * n, 1000 * n + 900, text, [[1000 * n, 1000 * n + 400, text.split()[0], 0.5]])
        for n, text in enumerate(texts)
    ]
    return steps.TranscriptFacts(engine, "en-us", "5.1", {"beam": 1}, "en", "hint", cues)


def state(name="derive", word="a"):
    step = Step.objects.get(original_id=key(word), name=name)
    return step.state, step.attempts, step.reason


def last_act():
    return Act.objects.order_by("-id").first()


# --- beginning


def test_receiving_a_recording_notes_its_steps_and_queues_the_first(undone):
    recording = receive("a")
    steps_of_part = watched(recording).steps
    assert {name: (step.state, step.fraction) for name, step in steps_of_part.items()} == {
        "derive": ("waiting", 0.0),
        "transcript": ("waiting", 0.0),
    }
    assert jobs() == [("derive", 10, START, 0)]


def test_a_transaction_that_fails_leaves_no_job(database):
    receive("a")
    with pytest.raises(AlreadyReceivedError):
        receive("a")
    with transaction.atomic():
        receive("b")
        transaction.set_rollback(True)
    assert len(jobs()) == 1
    assert Step.objects.count() == 2


def test_steps_begin_only_in_the_transaction_that_receives(database):
    receive("a")
    with pytest.raises(RuntimeError, match="transaction"):
        steps.begin_steps(Original.objects.get(), now=START)


# --- a step that goes well


def test_what_was_made_is_kept_with_its_act_and_the_next_step_is_queued(undone):
    recording = receive("a", probe=PROBE)
    claimed = claim()
    assert (claimed.attempt, claimed.original.facts, claimed.duration_ms) == (1, original("a"), 0)
    assert steps.note_progress(claimed, 0.5)
    assert watched(recording).steps["derive"].fraction == 0.5
    finish_jobs()
    kinds = ("viewing_copy", "storyboard", "waveform")
    assert steps.finish_derive(claimed, made=[made(kind) for kind in kinds], **BY)
    assert state() == ("done", 1, "")
    assert jobs() == [("transcript", -10, START, 0)]
    copy = Derivative.objects.get(kind="viewing_copy")
    assert (copy.object_id, copy.object_bytes, copy.original_id) == (made().object_id, 1100, key())
    assert (copy.made_at, copy.facts, copy.settings) == (START, {"duration_ms": 5000}, {"crf": 23})
    assert step_queries.derivative_object_ids() == {made(kind).object_id for kind in kinds}
    assert step_queries.newest_objects() == {key(): {kind: made(kind).object_id for kind in kinds}}
    act = last_act()
    assert (act.act, act.object, act.actor) == ("derivative.made", recording.identifier, WORKER.pseudonym)
    digests = {f"{kind}_sha256": made(kind).sha256 for kind in kinds}
    assert act.facts == {"of": original("a").sha256, "tool": "plainview 0.1.0", **digests}


def test_an_examination_says_how_long_a_step_may_take(undone):
    receive("a", probe=type(PROBE)(PROBE.tool, {"duration_ms": 9000}, PROBE.chunk_times, PROBE.confinement))
    assert claim().duration_ms == 9000


def test_where_nothing_was_made_nothing_is_said_to_have_been(undone):
    receive("a")
    assert steps.finish_derive(claim(), made=[], **BY)
    assert state() == ("done", 1, "")
    assert last_act().act == "recording.probed"


def test_a_transcript_is_kept_with_its_act_and_its_words_are_found(undone):
    recording = receive("a")
    claimed = claim("transcript")
    assert steps.finish_transcript(claimed, found=heard("Stop there", "blue Sedan"), **BY)
    assert state("transcript") == ("done", 1, "")
    transcript = Transcript.objects.get()
    assert (transcript.engine, transcript.notice, transcript.language) == ("pocketsphinx", "hint", "en")
    assert transcript.input_sha256 == original("a").sha256
    assert list(Cue.objects.values_list("number", "start_ms", "text", "words")) == [
        (1, 0, "Stop there", [[0, 400, "Stop", 0.5]]),
        (2, 1000, "blue Sedan", [[1000, 1400, "blue", 0.5]]),
    ]
    assert SearchRow.objects.filter(recording_id=recording.key, words="sedan").exists()
    assert not SearchRow.objects.filter(recording_id=recording.key, words="truck").exists()
    act = last_act()
    assert (act.act, act.object) == ("transcript.made", recording.identifier)
    assert act.facts == {"of": original("a").sha256, "engine": "pocketsphinx", "model": "en-us", "cues": 2}


def test_a_newer_transcript_is_a_new_row_and_takes_the_searches(undone):
    recording = receive("a")
    steps.finish_transcript(claim("transcript"), found=heard("first words"), **BY)
    Step.objects.filter(name="transcript").update(state="waiting", attempts=0)
    steps.finish_transcript(claim("transcript"), found=heard("second words"), **BY)
    assert Transcript.objects.count() == 2
    row = SearchRow.objects.filter(recording_id=recording.key)
    assert row.filter(words="second").exists()
    assert not row.filter(words="first").exists()


# --- who holds a step


def test_a_step_that_is_done_or_parked_or_not_there_is_nobodys(undone):
    receive("a")
    assert steps.claim_step(original=0, name="derive", **BY) is None
    steps.finish_derive(claim(), made=[], **BY)
    assert claim() is None
    steps.fail_step(claim("transcript"), failure=BAD, is_final=True, **BY)
    assert claim("transcript") is None


def test_of_two_that_work_on_a_step_the_later_one_counts(undone):
    receive("a")
    dead, living = claim(), claim()
    assert (dead.attempt, living.attempt) == (1, 2)
    assert not steps.note_progress(dead, 0.9)
    assert not steps.finish_derive(dead, made=[made(word="dead")], **BY)
    assert steps.fail_step(dead, failure=BAD, is_final=True, **BY) is None
    assert steps.put_back_step(dead, failure=FULL, times=0, now=START) is None
    assert steps.finish_derive(living, made=[made(word="living")], **BY)
    assert not steps.finish_derive(living, made=[made(word="again")], **BY)
    assert Derivative.objects.get().sha256 == made(word="living").sha256
    assert not steps.finish_transcript(living, found=heard(), **BY)


def test_two_that_claim_at_once_get_two_attempts(database):
    receive("a")
    number = key()
    got = at_once(*[lambda: steps.claim_step(original=number, name="derive", **BY)] * 2)
    assert sorted(each.attempt for each in got) == [1, 2]


def test_a_step_whose_workers_died_three_times_is_parked(undone):
    recording = receive("a")
    for _ in range(MOST_ATTEMPTS):
        assert claim() is not None
    assert claim() is None
    assert state() == ("parked", 3, "worker_died")
    (task,) = open_tasks(viewer=OPERATOR)
    assert (task.kind, task.about) == ("parked_step", recording.identifier)


# --- a step that fails


def test_a_step_is_tried_three_times_and_then_a_person_is_asked(undone):
    recording = receive("a")
    finish_jobs()
    for attempt, delay in ((1, timedelta(seconds=30)), (2, timedelta(minutes=5))):
        assert steps.fail_step(claim(), failure=BAD, is_final=False, **BY) == "waiting"
        assert state() == ("waiting", attempt, "decoder_stopped")
        assert jobs() == [("derive", 10, START + delay, 0)]
        finish_jobs()
    assert steps.fail_step(claim(), failure=BAD, is_final=False, **BY) == "parked"
    assert state() == ("parked", 3, "decoder_stopped")
    # The rest goes on.
    assert jobs() == [("transcript", -10, START, 0)]
    (task,) = open_tasks(viewer=OPERATOR)
    assert (task.kind, task.about, task.why) == ("parked_step", recording.identifier, BAD.text)
    assert last_act().act == "task.opened"
    assert watched(recording).steps["derive"].reason_text == BAD.text


def test_a_reason_that_trying_will_not_change_parks_at_once(undone):
    receive("a")
    assert steps.fail_step(claim(), failure=BAD, is_final=True, **BY) == "parked"
    assert state() == ("parked", 1, "decoder_stopped")


def test_what_is_this_machines_fault_does_not_count(undone):
    receive("a")
    finish_jobs()
    for times, seconds in enumerate((30, 60, 120, 240, 480, 960, 1920, 3600, 3600)):
        delay = timedelta(seconds=seconds)
        assert steps.put_back_step(claim(), failure=FULL, times=times, now=START) == delay
        assert state() == ("waiting", 0, "disk_full")
        assert jobs() == [("derive", 10, START + delay, times + 1)]
        finish_jobs()
    assert open_tasks(viewer=OPERATOR) == []


def test_a_step_given_back_by_a_worker_that_stops_waits_for_nothing(undone):
    receive("a")
    finish_jobs()
    assert steps.put_back_step(claim(), failure=None, times=4, now=START) == timedelta(0)
    assert state() == ("waiting", 0, "")
    assert jobs() == [("derive", 10, START, 0)]


def test_trying_again_does_every_parked_step_of_the_recording_anew(undone):
    receive("a")
    for name in ("derive", "transcript"):
        steps.fail_step(claim(name), failure=BAD, is_final=True, **BY)
    finish_jobs()
    (task,) = open_tasks(viewer=OPERATOR)
    answer = {"task": task.key, "viewer": OPERATOR, "actor": CLERK, "now": START}
    assert steps.answer_parked_step(answer="again", **answer) == 2
    assert state() == state("transcript") == ("waiting", 0, "")
    assert [name for name, *_ in jobs()] == ["derive", "transcript"]
    assert open_tasks(viewer=OPERATOR) == []
    with pytest.raises(TaskClosedError):
        steps.answer_parked_step(answer="again", **answer)


def test_a_parked_step_can_be_left(undone):
    receive("a")
    steps.fail_step(claim(), failure=BAD, is_final=True, **BY)
    finish_jobs()
    (task,) = open_tasks(viewer=OPERATOR)
    answer = {"task": task.key, "answer": "left", "actor": CLERK, "now": START}
    with pytest.raises(NoSuchTaskError):
        steps.answer_parked_step(viewer=Viewer(), **answer)
    assert steps.answer_parked_step(viewer=OPERATOR, **answer) == 0
    assert (state()[0], jobs()) == ("parked", [])


# --- jobs that are lost, or too many


def test_a_job_that_waits_already_is_enough(database):
    receive("a")
    with transaction.atomic():
        steps.begin_steps(Original.objects.get(), now=START + timedelta(hours=1))
        # The transaction is still of use.
        assert Step.objects.count() == 2
    assert jobs() == [("derive", 10, START, 0)]


def test_steps_without_a_job_are_queued_in_their_order(undone):
    """As an older Plainview leaves them, and a worker whose job was marked failed."""
    receive("a")
    receive("b")
    receive("c")
    finish_jobs()
    claim(word="a")
    steps.finish_derive(claim(word="b"), made=[], **BY)
    finish_jobs()
    assert steps.requeue_steps(now=START) == 3
    assert sorted(name for name, *_ in jobs()) == ["derive", "derive", "transcript"]
    assert steps.requeue_steps(now=START) == 0
    for step in Step.objects.exclude(state="done").select_related("original"):
        claimed = steps.claim_step(original=step.original_id, name=step.name, **BY)
        steps.fail_step(claimed, failure=BAD, is_final=True, **BY)
    finish_jobs()
    assert steps.requeue_steps(now=START) == 0


def test_derivatives_that_are_gone_are_made_anew(undone):
    receive("a")
    assert not steps.remake_derivatives(original=key(), now=START)
    steps.finish_derive(claim(), made=[made(word="old")], **BY)
    finish_jobs()
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert steps.remake_derivatives(original=key(), now=later)
    assert not steps.remake_derivatives(original=key(), now=later)
    steps.finish_derive(claim(), made=[made("storyboard", "new")], actor=WORKER, now=later)
    steps.remake_derivatives(original=key(), now=later)
    steps.finish_derive(claim(), made=[made(word="new")], actor=WORKER, now=later)
    newest = {"viewing_copy": made(word="new").object_id, "storyboard": made("storyboard", "new").object_id}
    assert step_queries.newest_objects() == {key(): newest}


@pytest.mark.parametrize("fraction", [-1.0, 2.0])
def test_progress_stays_between_nothing_and_all(undone, fraction):
    receive("a")
    assert steps.note_progress(claim(), fraction)
