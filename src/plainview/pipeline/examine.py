"""Have an original examined in the decoder jail, and turn the answer into facts or a reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import av

from plainview import __version__
from plainview.evidence.actions import ProbeFacts
from plainview.evidence.rules import CaptureTimes
from plainview.formats.chunks import ChunkTimes, format_chunk_times
from plainview.media.facts import probe_from_json, probe_to_json
from plainview.service.errors import JailError
from plainview.service.jail import DecoderJail, Limits

if TYPE_CHECKING:
    from plainview.media.facts import Probe
    from plainview.service.jail import JailResult
    from plainview.vault.keys import KeyStore
    from plainview.vault.local import LocalStore

TASK = "plainview.pipeline.jailed:probe_sealed"
# PyAV imports its parts when it meets them, and a confined child has no files left to import from.
PRELOAD = ("plainview.pipeline.jailed", "av.*")
LIMITS = Limits(memory_bytes=1 << 30, cpu_s=600, wall_s=1200.0, output_bytes=64 << 20)
# No camera that made such a file was running before; an unset clock says 1904 (QuickTime) or 1970 (Unix).
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
# These say nothing about the file, so they must not put it into quarantine.
OUR_FAULTS = ("missing import", "not started")
TOOL = f"plainview {__version__} (PyAV {av.__version__})"


@dataclass(frozen=True)
class Unusable:
    """Why an original is no recording: a code for lists, a sentence for people."""

    reason: str
    text: str


def new_jail() -> DecoderJail:
    """Return a jail that can examine originals; enter it before use."""
    return DecoderJail(preload=PRELOAD)


def examine(
    object_id: str, *, store: LocalStore, keys: KeyStore, jail: DecoderJail
) -> tuple[Probe, ProbeFacts] | Unusable:
    """Say what a stored original is made of, or why it cannot be used.

    Raises:
        VaultError: the object or its key is not there.
        JailError: the jail itself failed.
    """
    fd = store.open_fd(object_id)
    try:
        result = jail.run(TASK, fd=fd, argument={"key": keys.object_key(object_id)}, limits=LIMITS)
    finally:
        os.close(fd)
    if result.failure is not None:
        return _unusable(result)
    found = probe_from_json(result.value)
    times = ChunkTimes(
        tuple(None if span is None else (span.start_ms, span.end_ms) for span in found.chunk_spans)
    )
    facts = ProbeFacts(
        tool=TOOL,
        found=_without_spans(probe_to_json(found)),
        chunk_times=format_chunk_times(times),
        confinement={
            "enforced": list(result.enforced),
            "not_enforced": [list(step) for step in result.not_enforced],
        },
    )
    return found, facts


def capture_times(found: Probe, *, zone: str) -> CaptureTimes:
    """Return when a recording was made, as its own file says; nothing is guessed from anything else."""
    if found.started_at is None or found.started_at < EARLIEST:
        return CaptureTimes(started_at=None, ended_at=None, zone=zone, clock_source="unknown")
    ended = found.started_at + timedelta(milliseconds=found.duration_ms)
    return CaptureTimes(started_at=found.started_at, ended_at=ended, zone=zone, clock_source="file")


def _without_spans(probe: dict[str, Any]) -> dict[str, Any]:
    # They are kept once, in the table whose digest is in the log.
    return {name: value for name, value in probe.items() if name != "chunk_spans"}


def _unusable(result: JailResult) -> Unusable:
    if result.failure is None or result.failure.startswith(OUR_FAULTS):
        raise JailError(f"The decoder could not work ({result.failure}). Report this; the file was not kept.")
    if result.failure == "raised":
        return Unusable(result.reason or "unreadable", result.message or "The file cannot be read.")
    return Unusable("decoder_stopped", f"The decoder was stopped while reading the file: {result.failure}.")
