"""plainview list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.accounts.rules import Viewer
from plainview.cli.start import opened
from plainview.cli.talk import answer, answer_json, say
from plainview.evidence.queries import access_recordings
from plainview.formats.times import format_at

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.evidence.rules import KnownRecording


def run(data: Path, *, as_json: bool) -> None:
    """List the recordings, newest received first."""
    with opened(data, command="plainview list", say=say):
        for recording in access_recordings(viewer=Viewer(is_operator=True)):
            if as_json:
                answer_json(_record(recording))
            else:
                made = (
                    "time not known"
                    if recording.times.started_at is None
                    else format_at(recording.times.started_at)
                )
                answer(f"{recording.identifier}  made {made}  received {format_at(recording.received_at)}")


def _record(recording: KnownRecording) -> dict[str, str | None]:
    started = recording.times.started_at
    return {
        "recording": recording.identifier,
        "started_at": None if started is None else format_at(started),
        "clock": recording.times.clock_source,
        "received_at": format_at(recording.received_at),
    }
