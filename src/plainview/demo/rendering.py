"""Let the department's cameras record, several at once, each in a process of its own, and say how far they are.

A camera that is done has a mark in its folder. One that was interrupted begins anew: nothing of it was docked.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plainview.demo import cameras, ordinary
from plainview.demo.recorded import Session, home_of, record_session, storage_of
from plainview.demo.roster import DEVICES, device
from plainview.demo.story import CAMERAS, SHIFT_BEGAN_AT, SHIFT_ENDED_AT, UNRECORDED

if TYPE_CHECKING:
    import pathlib
    import queue
    from collections.abc import Callable, Sequence

# The first that is done is the first that a newcomer watches: not the one that is black for its first fifty seconds.
INCIDENT: Final = tuple(CAMERAS[key].serial for key in ("okafor", "car-12a", "reyes"))
ORDINARY: Final = tuple(
    dict.fromkeys(each.serial for each in ordinary.RECORDINGS if each.serial not in INCIDENT)
)
# On all night, and never started: at the incident, and elsewhere, where nothing happened.
IDLE: Final = tuple(serial for _, serial, _ in UNRECORDED if serial)
# A reserve deputy still has this one at home.
OVERDUE: Final = "BWC-0904"
QUIET: Final = tuple(
    each.serial for each in DEVICES if each.serial not in (*INCIDENT, *ORDINARY, *IDLE, OVERDUE)
)
SERIALS: Final = (*INCIDENT, *IDLE, *ORDINARY, *QUIET, OVERDUE)
_DONE: Final = "recorded"
# The count of a camera that never recorded, for beginning anew.
NEW: Final = "state.new"


@dataclass(frozen=True)
class Job:
    """A camera that is to record its night.

    Attributes:
        serial: of it.
        folder: its own; the camera in it has been made and has orders.
        seed: of everything random.
    """

    serial: str
    folder: pathlib.Path
    seed: int


def films_of(serial: str) -> tuple[str, ...]:
    """Return the keys of the recordings that a camera made, in their order."""
    shared = [each for each in ordinary.RECORDINGS if each.serial == serial]
    ordinary_keys = [each.key for each in sorted(shared, key=lambda each: each.started_at)]
    return (*ordinary_keys, *(key for key, camera in CAMERAS.items() if camera.serial == serial))


def has_recorded(folder: pathlib.Path) -> bool:
    """Say whether the camera in a folder has recorded its night."""
    return (folder / _DONE).exists()


def record_night(job: Job, progress: Callable[[float], None]) -> str:
    """Let a camera record its night, and return its serial number.

    Args:
        job: which.
        progress: called with the share that is done.
    """
    _forget(job.folder)
    keys = films_of(job.serial)
    if not keys:
        record_session(
            job.folder, Session(SHIFT_BEGAN_AT, SHIFT_ENDED_AT, worn=device(job.serial).worn), (), None
        )
    for key in keys:
        if key in CAMERAS:
            session, pictures, sound = cameras.recorded_by(CAMERAS[key], seed=job.seed, progress=progress)
        else:
            recording = next(each for each in ordinary.RECORDINGS if each.key == key)
            session, pictures, sound = ordinary.recorded_by(recording, seed=job.seed)
        record_session(job.folder, session, pictures, sound)
    (job.folder / _DONE).touch()
    progress(1.0)
    return job.serial


def _forget(folder: pathlib.Path) -> None:
    """Take a camera back to before it ever recorded: what is there was interrupted, and no dock has seen it."""
    streams = storage_of(folder) / "streams"
    shutil.rmtree(streams, ignore_errors=True)
    streams.mkdir()
    for left in home_of(folder).glob("head.*"):
        left.unlink()
    shutil.copy(folder / NEW, home_of(folder) / "state.json")


def remember_new(folder: pathlib.Path) -> None:
    """Keep the count of a camera that never recorded; with it, the camera is issued."""
    draft = folder / f"{NEW}.draft"
    shutil.copy(home_of(folder) / "state.json", draft)
    draft.rename(folder / NEW)


def run_jobs(
    jobs: Sequence[Job],
    *,
    on_done: Callable[[str], None],
    progress: Callable[[float], None],
    processes: int,
) -> None:
    """Run jobs in processes of their own and follow how far they are.

    Args:
        jobs: begun in this order.
        on_done: called with the serial number of each camera that is done.
        progress: called with the share of all that is done, rising to 1.
        processes: how many at once.
    """
    if not jobs:
        return
    # Not forked: that would copy the codecs' and the speech library's threads.
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        concurrent.futures.ProcessPoolExecutor(processes, mp_context=context, initializer=_be_nice) as pool,
    ):
        told = manager.Queue()
        running = [pool.submit(_in_process, job, i, told) for i, job in enumerate(jobs)]
        shares, waiting = [0.0] * len(running), list(running)
        try:
            while waiting:
                _listen(told, shares)
                progress(min(1.0, sum(shares) / len(shares)))
                for done in [each for each in waiting if each.done()]:
                    waiting.remove(done)
                    on_done(done.result())
        except BaseException:
            # The pool would wait for what is being recorded, which nobody wants any more.
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    progress(1.0)


def _be_nice() -> None:
    # Whoever looks at the pages meanwhile goes first. Ctrl-C is for the process that started us; it ends us.
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_process(job: Job, index: int, told: queue.Queue[tuple[int, float]]) -> str:
    return record_night(job, lambda share: told.put((index, share)))


def _listen(told: queue.Queue[tuple[int, float]], shares: list[float]) -> None:
    import queue  # noqa: PLC0415 only for its Empty

    try:
        index, share = told.get(timeout=0.3)
    except queue.Empty:
        return
    shares[index] = max(shares[index], share)
