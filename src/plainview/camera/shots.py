"""Record what is made, not seen: pictures and sound that a program gives, as fast as they can be encoded.

How a demonstration records:
    clock = SimulatedClock(switched_on_at)
    recorder = Recorder(store=..., clock=clock, orders=Orders(settings), make_encoder=..., serial="SN42")
    shots = shots_of(pictures, sound, frame_rate=25)
    record_script(recorder, clock, shots, [PowerOn(0), Press(30_000), Hold(95_000, 3000), PowerOff(97_000)])
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plainview.camera.fragments import TICKS_A_MS, TICKS_A_SECOND, samples_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from plainview.camera.clocks import SimulatedClock
    from plainview.camera.events import Event
    from plainview.camera.recorder import Recorder


@dataclass(frozen=True)
class Shot:
    """A picture and the sound that is heard from it until the next.

    Attributes:
        ticks: when, in 1/90000 s since the camera was switched on.
        picture: an av.VideoFrame, or uint8 [height, width, 3] RGB; None where the lens gives nothing.
        samples: float32 [samples] at 48 kHz, -1 to 1, mono; None where the microphone gives nothing.
    """

    ticks: int
    picture: Any
    samples: NDArray[np.float32] | None


def shots_of(
    pictures: Iterable[Any], sound: NDArray[np.float32] | None, *, frame_rate: int, from_ms: int = 0
) -> Iterator[Shot]:
    """Put pictures and sound together.

    Args:
        pictures: frame_rate a second; uint8 [height, width, 3] RGB each, or av.VideoFrame.
        sound: float32 [samples] at 48 kHz, -1 to 1, mono, beginning with the first picture; None for none.
        frame_rate: a divisor of 90000.
        from_ms: when the first picture is taken, since the camera was switched on.
    """
    step_ticks = TICKS_A_SECOND // frame_rate
    for number, picture in enumerate(pictures):
        at = number * step_ticks
        part = None if sound is None else sound[samples_at(at) : samples_at(at + step_ticks)]
        yield Shot(from_ms * TICKS_A_MS + at, picture, part)


def record_script(
    recorder: Recorder, clock: SimulatedClock, shots: Iterable[Shot], script: Sequence[Event]
) -> None:
    """Record what is made, on a simulated clock, while what the script says happens.

    Args:
        recorder: with this clock.
        clock: stands at 0.
        shots: in the order of their times.
        script: in the order of their times, PowerOn first and PowerOff last; what comes after the last shot still
            happens, at its time.
    """
    waiting = deque(script)
    for shot in shots:
        _happen_until(recorder, clock, waiting, shot.ticks)
        clock.go_to(shot.ticks)
        recorder.tick()
        if shot.samples is not None:
            recorder.hear(shot.ticks, shot.samples)
        if shot.picture is not None:
            recorder.show(shot.ticks, shot.picture)
    _happen_until(recorder, clock, waiting, None)


def _happen_until(
    recorder: Recorder, clock: SimulatedClock, waiting: deque[Event], ticks: int | None
) -> None:
    while waiting and (ticks is None or waiting[0].mono_ms * TICKS_A_MS <= ticks):
        event = waiting.popleft()
        clock.go_to(event.mono_ms * TICKS_A_MS)
        recorder.happen(event)
