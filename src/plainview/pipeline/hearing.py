"""Write down what is said in an original: decoded in the jail, heard outside, where only bare samples arrive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from plainview.evidence.step_actions import CueFacts, TranscriptFacts
from plainview.media.errors import MalformedSpeechError, MalformedTranscriptError
from plainview.media.sample_transcripts import find_sample
from plainview.media.speech import RATE_HZ, speech_report_from_json, unpack_speech
from plainview.media.transcribe import Transcription
from plainview.media.transcript import cue_to_json
from plainview.pipeline.workplace import StepFailedError, check_worked
from plainview.service.errors import JailOutputError
from plainview.service.jail import Limits
from plainview.service.jail_output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from plainview.evidence.rules import ClaimedStep
    from plainview.media.transcript import TranscriptFound
    from plainview.pipeline.workplace import Attempt, Workplace

TASK: Final = "plainview.pipeline.jailed_steps:speech_sealed"
CPU_S_A_S: Final = 4
# Whoever decodes waits for whoever hears, and a slow machine hears slowly.
WALL_S_A_S: Final = 60
LEAST_CPU_S: Final = 600
LEAST_SPEECH_BYTES: Final = 16 << 20


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
    ear = _Ear(Transcription(workplace.engine()), attempt)
    fd = installation.store.open_fd(object_id)
    try:
        result = workplace.jail.run(
            TASK,
            fd=fd,
            argument={"key": installation.keys.object_key(object_id)},
            limits=_limits_for(claim.duration_ms),
            output=Output(
                limits_bytes=(LEAST_SPEECH_BYTES + 4 * RATE_HZ * -(-claim.duration_ms // 1000),),
                on_bytes=ear.hear,
                on_progress=attempt.progress,
                on_tick=attempt.tick,
            ),
        )
    finally:
        os.close(fd)
    check_worked(result)
    return ear.found(result.value)


def _limits_for(duration_ms: int) -> Limits:
    seconds = -(-duration_ms // 1000)
    return Limits(
        memory_bytes=1 << 30,
        cpu_s=LEAST_CPU_S + CPU_S_A_S * seconds,
        wall_s=float(2 * LEAST_CPU_S + WALL_S_A_S * seconds),
    )


class _Ear:
    """Takes stretches of speech as the task writes them: each in one piece, one after the other."""

    def __init__(self, transcription: Transcription, attempt: Attempt) -> None:
        self._transcription = transcription
        self._attempt = attempt
        self._next_byte = self._next_sample = 0

    def hear(self, _number: int, offset: int, data: memoryview) -> None:
        self._attempt.tick()
        try:
            stretches = list(unpack_speech([bytes(data)]))
        except MalformedSpeechError as error:
            raise JailOutputError(str(error)) from error
        if offset != self._next_byte or stretches[0].start < self._next_sample:
            raise JailOutputError("a stretch of speech is out of its place")
        self._next_byte += len(data)
        for stretch in stretches:
            self._next_sample = stretch.start + len(stretch.samples)
            self._transcription.put(stretch)

    def found(self, value: object) -> TranscriptFound:
        try:
            return self._transcription.found(speech_report_from_json(value))
        except MalformedSpeechError as error:
            text = f"The decoder gave an answer that it would not give ({error})."
            raise StepFailedError("decoder_stopped", text) from error


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
