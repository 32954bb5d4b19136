"""The process that hears one recording: bare samples come in, words go out. It has no key, no database, no network.

A process of its own because engines are large C programs that may crash, fill the memory, or hold Python's lock for
half a minute, in which a worker could not say that it lives.

    worker -> hearer    frames: 1 byte kind, 4 bytes length, that many bytes
                        "s" a stretch of speech as media.speech packs it; "e" the end, with the report on the sound
    hearer -> worker    one JSON object: {"found": transcript}, or {"model": why the model cannot be used}
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from plainview.media.errors import ModelError
from plainview.media.speech import speech_report_from_json, unpack_speech
from plainview.media.transcribe import Transcription
from plainview.media.transcript import transcript_to_json
from plainview.service import linux

if TYPE_CHECKING:
    from plainview.media.listening import Engine

STUB = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from plainview.pipeline.hearer import main; main(*sys.argv[2:])"
)
HEAD = struct.Struct(">cI")
SPEECH, END = b"s", b"e"
# Before whatever else runs: pages first.
NICE = 5
KILL_ME_FIRST = 500


def main(maker: str, models: str, parent_pid: str) -> None:
    """Hear what comes on standard input, and answer on standard output."""
    _settle_down(int(parent_pid))
    frames = os.fdopen(os.dup(0), "rb")
    with os.fdopen(os.dup(1), "wb") as answers:
        # Engines print.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        answers.write(json.dumps(_answer(maker, Path(models), frames)).encode())


def _settle_down(parent_pid: int) -> None:
    """Die with the worker, give way to it, and write no file."""
    with contextlib.suppress(NotImplementedError):  # not Linux: the end of standard input ends us too
        try:
            linux.die_with_parent(signal.SIGKILL, parent_pid=parent_pid)
        except ProcessLookupError:
            sys.exit(0)
    os.nice(NICE)
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(limit, (0, 0))
    # Where memory runs out, the system ends us and not the worker or the database.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(KILL_ME_FIRST))


def _answer(maker: str, models: Path, frames: BinaryIO) -> dict[str, Any]:
    try:
        engine = _engine(maker, models)
    except ModelError as error:
        return {"model": str(error)}
    transcription = Transcription(engine)
    while True:
        kind, length = HEAD.unpack(_exactly(frames, HEAD.size))
        body = _exactly(frames, length)
        if kind == END:
            found = transcription.found(speech_report_from_json(json.loads(body)))
            return {"found": transcript_to_json(found)}
        for speech in unpack_speech([body]):
            transcription.put(speech)


def _engine(maker: str, models: Path) -> Engine:
    module, _, function = maker.partition(":")
    engine: Engine = getattr(importlib.import_module(module), function)(models)
    return engine


def _exactly(frames: BinaryIO, length: int) -> bytes:
    body = frames.read(length)
    if len(body) < length:
        # The worker has gone, or wants no more.
        sys.exit(0)
    return body
