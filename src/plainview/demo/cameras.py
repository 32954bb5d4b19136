"""Render what the cameras recorded: the three of the incident, each in a process of its own.

The same seed gives the same bytes on the same build of the libraries, whole or in part, in any order.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Final

from plainview.demo import mix
from plainview.demo.film import write_film
from plainview.demo.frame import FRAME_RATE
from plainview.demo.picture import Painter
from plainview.demo.shots import SHOTS, STEPS
from plainview.demo.sound import RATE_HZ
from plainview.demo.stages import stages
from plainview.demo.story import CAMERAS, LINES, NOISES, PEOPLE, UTC_OFFSET, place

if TYPE_CHECKING:
    import pathlib
    import queue
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from plainview.demo.story import Camera

# Those who carry a radio that others can hear.
_RADIOS: Final = ("reyes", "okafor", "car")
# The first that is ready is the first that a newcomer watches: not the one that is black for its first twenty seconds.
_ORDER: Final = ("okafor", "car-12a", "reyes")
_NEAREST_M: Final = {"belt": 0.7, "chest": 0.4, "car": 0.9}
_RUSTLE: Final = {"belt": 0.16, "chest": 0.07, "car": 0.0}


@dataclasses.dataclass(frozen=True)
class Film:
    """A recording that was rendered.

    Attributes:
        key: which. path: the file.
        serial: of the camera. wearer: key of a person.
        says_started_at: the file's time of creation, by the camera's own clock; aware UTC.
        seconds: length by the camera's clock.
    """

    key: str
    path: pathlib.Path
    serial: str
    wearer: str
    says_started_at: dt.datetime
    seconds: float


def render_incident(
    folder: pathlib.Path,
    *,
    seed: int,
    keys: Sequence[str] | None = None,
    on_film: Callable[[Film], None] | None = None,
    progress: Callable[[float], None] | None = None,
    processes: int = 2,
) -> list[Film]:
    """Render the three recordings of the incident into a folder, as <camera>.mp4.

    Args:
        folder: exists.
        seed: of everything that is random in them.
        keys: of the cameras wanted; all where left out.
        on_film: called with each as it is done.
        progress: called with the share that is done, rising to 1.
        processes: how many cameras at once.

    Returns:
        The recordings, in the order in which they were begun.
    """
    wanted = [key for key in _ORDER if keys is None or key in keys]
    return run_jobs(
        Jobs(_render_job, [(key, folder, seed) for key in wanted]),
        on_film=on_film,
        progress=progress,
        processes=processes,
    )


@dataclasses.dataclass(frozen=True)
class Jobs:
    """What is to be rendered.

    Attributes:
        job: renders one, given what it is and whom to tell the share that is done.
        todo: key, folder and seed of each.
    """

    job: Callable[[tuple[str, pathlib.Path, int], Callable[[float], None]], Film]
    todo: Sequence[tuple[str, pathlib.Path, int]]


def run_jobs(
    jobs: Jobs,
    *,
    on_film: Callable[[Film], None] | None,
    progress: Callable[[float], None] | None,
    processes: int,
) -> list[Film]:
    """Run jobs in processes of their own and follow how far they are; the order is that of todo."""
    if not jobs.todo:
        return []
    if processes <= 1:
        films = []
        for i, each in enumerate(jobs.todo):
            films.append(jobs.job(each, _share(progress, i, len(jobs.todo))))
            if on_film:
                on_film(films[-1])
        return films
    return _run_in_processes(jobs, on_film, progress, min(processes, len(jobs.todo)))


def _run_in_processes(
    jobs: Jobs,
    on_film: Callable[[Film], None] | None,
    progress: Callable[[float], None] | None,
    processes: int,
) -> list[Film]:
    # Not forked: that would copy the codecs' and the speech library's threads.
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        concurrent.futures.ProcessPoolExecutor(processes, mp_context=context, initializer=_be_nice) as pool,
    ):
        told = manager.Queue()
        running = [pool.submit(_in_process, jobs.job, each, i, told) for i, each in enumerate(jobs.todo)]
        shares, waiting = [0.0] * len(running), list(running)
        try:
            while waiting:
                _listen(told, shares)
                if progress:
                    progress(min(1.0, sum(shares) / len(shares)))
                for done in [each for each in waiting if each.done()]:
                    waiting.remove(done)
                    if on_film:
                        on_film(done.result())
        except BaseException:
            # The pool would wait for what is being rendered, which nobody wants any more.
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    if progress:
        progress(1.0)
    return [each.result() for each in running]


def _be_nice() -> None:
    # Whoever looks at the pages meanwhile goes first. Ctrl-C is for the process that started us; it ends us.
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _share(progress: Callable[[float], None] | None, index: int, count: int) -> Callable[[float], None]:
    return lambda done: progress((index + done) / count) if progress else None


def _in_process(
    job: Callable[[tuple[str, pathlib.Path, int], Callable[[float], None]], Film],
    each: tuple[str, pathlib.Path, int],
    index: int,
    told: queue.Queue[tuple[int, float]],
) -> Film:
    return job(each, lambda share: told.put((index, share)))


def _listen(told: queue.Queue[tuple[int, float]], shares: list[float]) -> None:
    import queue  # noqa: PLC0415 only for its Empty

    try:
        index, share = told.get(timeout=0.3)
    except queue.Empty:
        return
    shares[index] = max(shares[index], share)


def _render_job(each: tuple[str, pathlib.Path, int], progress: Callable[[float], None]) -> Film:
    key, folder, seed = each
    camera = CAMERAS[key]
    path = folder / f"{key}.mp4"
    path.write_bytes(render_camera(camera, seed=seed, progress=progress))
    return Film(key, path, camera.serial, camera.wearer, camera.says_started_at, length_s(camera))


def length_s(camera: Camera) -> float:
    """Give how long its recording is by its own clock."""
    return round(camera.media_s(camera.ends_s) * FRAME_RATE) / FRAME_RATE


def render_camera(
    camera: Camera,
    *,
    seed: int,
    from_s: float | None = None,
    to_s: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Render a recording, or a piece of one.

    Args:
        camera: which.
        seed: of everything random.
        from_s: of the story; the whole recording where left out. A piece has the pictures of the whole, the
            story's sounds, and noise of its own; it says when it begins by the camera's clock.
        to_s: of the story.
        progress: called with the share that is done.

    Returns:
        The MP4.
    """
    first = round(camera.media_s(from_s) * FRAME_RATE) if from_s is not None else 0
    last = round((camera.media_s(to_s) if to_s is not None else length_s(camera)) * FRAME_RATE)
    sound = camera_sound(
        camera, seed=seed, from_s=camera.story_s(first / FRAME_RATE), to_s=camera.story_s(last / FRAME_RATE)
    )
    started_at = camera.says_started_at + dt.timedelta(seconds=first / FRAME_RATE)
    return write_film(
        _pictures(camera, seed, first, last, progress), sound, started_at=started_at, title=camera.serial
    )


def painter(camera: Camera, *, seed: int) -> Painter:
    """Give the painter of a camera of the incident."""

    def clock(at_s: float) -> dt.datetime:
        shown = camera.says_started_at + dt.timedelta(seconds=camera.media_s(at_s)) + UTC_OFFSET
        return shown.replace(tzinfo=None)

    number = list(CAMERAS).index(camera.key)
    return Painter(
        lambda at_s: SHOTS[camera.key](at_s, seed=seed),
        stages(seed),
        seed=seed * 16 + number,
        caption=camera.serial,
        clock=clock,
        step=STEPS[camera.key],
    )


def _pictures(
    camera: Camera, seed: int, first: int, last: int, progress: Callable[[float], None] | None
) -> Iterator[NDArray[np.uint8]]:
    painted = painter(camera, seed=seed)
    for number in range(first, last):
        yield painted.picture(camera.story_s(number / FRAME_RATE))
        if progress and (number % FRAME_RATE == 0 or number == last - 1):
            progress((number + 1 - first) / (last - first))


def camera_sound(camera: Camera, *, seed: int, from_s: float, to_s: float) -> NDArray[np.float32]:
    """Give what a camera hears between two moments of the story; digital silence before sound_from_s.

    Returns:
        float32 [samples] at RATE_HZ by the camera's clock, -1 to 1.
    """
    key = "car" if camera.worn == "car" else camera.wearer
    listener = mix.Listener(
        place=lambda at_s: place(key, at_s),
        reach_m=_NEAREST_M[camera.worn],
        starts_s=from_s,
        rate=1 + camera.drift_ppm * 1e-6,
        muffled=_muffled,
        rustle=_RUSTLE[camera.worn],
    )
    heard = mix.sources(
        lines=LINES,
        sounds=NOISES,
        people=PEOPLE,
        radios=_RADIOS,
        place=place,
        seed=seed,
        from_s=from_s,
        to_s=to_s,
    )
    seconds = (to_s - from_s) * listener.rate
    number = list(CAMERAS).index(camera.key)
    sound = mix.hear(listener, heard, seed=seed * 16 + number, seconds=seconds)
    silent = round((camera.sound_from_s - from_s) * listener.rate * RATE_HZ)
    if silent > 0:
        sound[:silent] = 0
    return sound


def _muffled(source: tuple[float, float], listener: tuple[float, float]) -> float:
    """Say what the corner of the alley lets through."""
    return 1.0 if (source[0] > 7.0) == (listener[0] > 7.0) else 0.4
