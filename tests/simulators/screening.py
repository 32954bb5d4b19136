"""Recordings that a worker has processed, over a test's own database and vault: for tests of what pages show of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.evidence import queries
from plainview.evidence.models import Original
from plainview.media.sample_transcripts import format_sample
from plainview.media.transcript import Cue, Word
from plainview.pipeline.intake import take_one
from plainview.pipeline.steps import run_step
from simulators import media_files
from simulators.custody_rows import START, LogOfRows
from simulators.premises import make_intake
from simulators.workplaces import working_jail, workplace

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.pipeline.workplace import Workplace

HOSTILE_NAME = "<script>alert(1)</script> \u202egnp.4pm.mp4"
SAID = Cue(
    500, 1500, "Stop <b>there</b>.", (Word(500, 800, "Stop", 0.9), Word(900, 1500, "<b>there</b>.", 0.2))
)


@dataclass(frozen=True)
class Screening:
    """What there is to watch.

    Attributes:
        place: a worker's workplace.
        plain: a recording whose original browsers play, with a sample transcript.
        plain_bytes: of its original.
        coded: one that needs its viewing copy, and has it.
        untouched: one that needs its viewing copy, and nothing was done with it yet.
    """

    place: Workplace
    log: LogOfRows
    plain: str
    plain_bytes: bytes
    coded: str
    untouched: str


@contextlib.contextmanager
def screening(data: Path, offered: Path):
    """Start a log, take three recordings in, and process two; the database is connected."""
    log = LogOfRows(data / "log" / "1", data / "checkpoint-store.sqlite")
    log.start(now=START)
    plain = media_files.numbered_file(
        count=30, size=(320, 180), tones=[(0, 3000, 0.5)], options={"movflags": "faststart"}
    )
    coded = media_files.numbered_file("matroska", count=20, codec="mpeg4", pixel_format="yuv420p")
    later = media_files.numbered_file("matroska", count=25, codec="mpeg4", pixel_format="yuv420p")
    with working_jail() as jail, workplace(data, log, jail) as place:
        names = (HOSTILE_NAME, "coded.mkv", "later.mkv")
        identifiers = [
            _take(place, offered / f"{n}", *file)
            for n, file in enumerate(zip(names, (plain, coded, later), strict=True))
        ]
        for identifier in identifiers[:2]:
            process(place, identifier)
        yield Screening(place, log, identifiers[0], plain, identifiers[1], identifiers[2])


def process(place, identifier):
    """Do every step of a recording's original."""
    row = Original.objects.get(parts__recording__identifier=identifier)
    samples = place.samples
    samples.mkdir(exist_ok=True)
    sample = format_sample(original_sha256=row.sha256, language="en", cues=[SAID])
    (samples / f"{row.sha256}.json").write_bytes(sample)
    for name in ("derive", "transcript"):
        run_step(place, original=row.pk, name=name, times=0)


def _take(place, folder, name, data):
    # "/" cannot stand in a name that a file system keeps; everything else can.
    folder.mkdir()
    path = folder / name.replace("/", "\u2215")
    path.write_bytes(data)
    outcome = take_one(make_intake(place.installation, jail=place.jail), path)
    assert outcome.status == "received", outcome
    assert queries.original_by_sha256(outcome.sha256) is not None
    return outcome.recording
