"""Write down what is said in an original: decoded in the jail, and heard by a process that gets bare samples only."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from plainview.evidence.step_actions import CueFacts, TranscriptFacts
from plainview.media.errors import MalformedSpeechError, MalformedTranscriptError
from plainview.media.sample_transcripts import find_sample
from plainview.media.speech import (
    RATE_HZ,
    speech_report_from_json,
    speech_report_to_json,
    unpack_speech,
)
from plainview.media.transcript import cue_to_json, transcript_from_json
from plainview.pipeline.hearer import END, HEAD, SPEECH, STUB
from plainview.pipeline.workplace import ModelTroubleError, StepFailedError, check_worked
from plainview.service.errors import JailOutputError
from plainview.service.jail import Limits
from plainview.service.jail_output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Self

    from plainview.evidence.rules import ClaimedStep
    from plainview.media.transcript import TranscriptFound
    from plainview.pipeline.workplace import Attempt, Workplace

TASK: Final = "plainview.pipeline.jailed_steps:speech_sealed"
CPU_S_A_S: Final = 4
# Whoever decodes waits for whoever hears, and a slow machine hears slowly.
WALL_S_A_S: Final = 60
LEAST_CPU_S: Final = 600
LEAST_SPEECH_BYTES: Final = 16 << 20
TICK_S: Final = 1.0
# Half a minute of speech is heard at a time; whoever takes this long for it will not end.
QUIET_LIMIT_S: Final = 1800.0
ANSWER_LIMIT_BYTES: Final = 256 << 20
ANSWER_BYTES: Final = 1 << 20


def make_transcript(workplace: Workplace, claim: ClaimedStep, attempt: Attempt) -> TranscriptFacts:
    """Return the transcript of one original: its sample where there is one, else what an engine hears.

    Raises:
        StepFailedError: it cannot be decoded.
        JailError, VaultError, ModelError: this machine cannot work.
        StoppedError, LostStepError: as the attempt says.
    """
    sample = _sample(workplace, claim)
    return _facts(sample if sample is not None else _heard(workplace, claim, attempt))


def _sample(workplace: Workplace, claim: ClaimedStep) -> TranscriptFound | None:
    try:
        return find_sample(workplace.samples, claim.original.facts.sha256)
    except MalformedTranscriptError as error:
        raise StepFailedError("sample_unusable", str(error), is_final=True) from error


def _heard(workplace: Workplace, claim: ClaimedStep, attempt: Attempt) -> TranscriptFound:
    installation, object_id = workplace.installation, claim.original.facts.object_id
    with contextlib.ExitStack() as closing:
        hearer = closing.enter_context(Hearer(workplace, attempt))
        fd = installation.store.open_fd(object_id)
        closing.callback(os.close, fd)
        result = workplace.jail.run(
            TASK,
            fd=fd,
            argument={"key": installation.keys.object_key(object_id)},
            limits=_limits_for(claim.duration_ms),
            output=Output(
                limits_bytes=(LEAST_SPEECH_BYTES + 4 * RATE_HZ * -(-claim.duration_ms // 1000),),
                on_bytes=_Checked(hearer).take,
                on_progress=attempt.progress,
                on_tick=attempt.tick,
            ),
        )
        check_worked(result)
        return hearer.found(result.value)


def _limits_for(duration_ms: int) -> Limits:
    seconds = -(-duration_ms // 1000)
    return Limits(
        memory_bytes=1 << 30,
        cpu_s=LEAST_CPU_S + CPU_S_A_S * seconds,
        wall_s=float(2 * LEAST_CPU_S + WALL_S_A_S * seconds),
    )


class _Checked:
    """Passes stretches of speech on as the task writes them: each in one piece, one after the other."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._next_byte = self._next_sample = 0

    def take(self, _number: int, offset: int, data: memoryview) -> None:
        body = bytes(data)
        try:
            (stretch,) = unpack_speech([body])
        except (MalformedSpeechError, ValueError) as error:
            raise JailOutputError(f"a stretch of speech is not whole: {error}") from error
        if offset != self._next_byte or stretch.start < self._next_sample:
            raise JailOutputError("a stretch of speech is out of its place")
        self._next_byte += len(body)
        self._next_sample = stretch.start + len(stretch.samples)
        self._hearer.put(body)


class Hearer:
    """A process that hears one recording; see pipeline.hearer. It ends with the context.

    Raises:
        StepFailedError: it ended, or fell silent; from any method.
        ModelTroubleError: the installed model cannot be used; from any method.
        StoppedError, LostStepError: as the attempt says; from any method.
    """

    def __init__(self, workplace: Workplace, attempt: Attempt) -> None:
        self._attempt = attempt
        self._monotonic = workplace.monotonic
        paths = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 ("" means the current folder)
        arguments = (paths, workplace.engine, str(workplace.models), str(os.getpid()))
        # Nothing of ours but where libraries lie; and whatever an engine is asked for, it asks nobody.
        environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", STUB, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**environment, "LC_ALL": "C.UTF-8", "HF_HUB_OFFLINE": "1"},
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._sending, self._receiving = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._sending, False)
        self._answer = bytearray()

    def __enter__(self) -> Self:
        """Return the hearer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.kill()
        with self._process:
            pass

    def put(self, stretch: bytes) -> None:
        """Have a stretch of speech heard; returns once it is on its way."""
        self._send(SPEECH, stretch)

    def found(self, report: object) -> TranscriptFound:
        """Say that this was all, and wait for the transcript.

        Args:
            report: what the jail says of the sound as a whole.
        """
        try:
            checked = speech_report_to_json(speech_report_from_json(report))
        except MalformedSpeechError as error:
            text = f"The decoder gave an answer that it would not give ({error})."
            raise StepFailedError("decoder_stopped", text) from error
        self._send(END, json.dumps(checked).encode())
        while self._receive():
            pass
        return self._read_answer()

    def _send(self, kind: bytes, body: bytes) -> None:
        left = memoryview(HEAD.pack(kind, len(body)) + body)
        while left:
            self._await(self._sending, select.POLLOUT)
            try:
                left = left[os.write(self._sending, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                # It ended, or said early what is wrong.
                while self._receive():
                    pass
                self._read_answer()
                raise self._ended() from None

    def _receive(self) -> bool:
        self._await(self._receiving, select.POLLIN)
        data = os.read(self._receiving, ANSWER_BYTES)
        self._answer += data
        if len(self._answer) > ANSWER_LIMIT_BYTES:
            raise StepFailedError("engine_stopped", "The speech engine wrote more than any recording holds.")
        return bool(data)

    def _await(self, fd: int, event: int) -> None:
        """Wait until the process is ready, and let go where the attempt says so."""
        poll = select.poll()
        poll.register(fd, event)
        end_s = self._monotonic() + QUIET_LIMIT_S
        while not poll.poll(TICK_S * 1000):
            self._attempt.tick()
            if self._monotonic() > end_s:
                raise StepFailedError("engine_stopped", "The speech engine did not come to an end.")

    def _read_answer(self) -> TranscriptFound:
        try:
            match json.loads(self._answer):
                case {"found": found, **others} if not others:
                    return transcript_from_json(found)
                case {"model": str(problem), **others} if not others:
                    raise ModelTroubleError(problem)
        except (ValueError, MalformedTranscriptError):
            pass
        raise self._ended()

    def _ended(self) -> StepFailedError:
        return StepFailedError("engine_stopped", "The speech engine ended in the middle of the recording.")


def _facts(found: TranscriptFound) -> TranscriptFacts:
    return TranscriptFacts(
        engine=found.engine,
        model=found.model,
        version=found.version,
        settings={**found.settings, **_remarks(found)},
        language=found.language,
        notice=found.notice,
        cues=[CueFacts(**cue_to_json(cue)) for cue in found.cues],
    )


def _remarks(found: TranscriptFound) -> Mapping[str, Any]:
    """Return what else is to be known of a transcript, for the row that keeps it."""
    return {
        "speech_ms": found.speech_ms,
        "reason": found.reason,
        "warnings": list(found.warnings),
        "left_out": list(found.left_out),
    }
