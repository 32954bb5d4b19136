"""A worker's workplace over a test's own installation and database, with the real jail."""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass
from datetime import timedelta

from plainview.evidence import queries
from plainview.pipeline.installation import open_derived
from plainview.pipeline.intake import take_one
from plainview.pipeline.worker import PRELOAD
from plainview.pipeline.workplace import Workplace
from plainview.service.jail import DecoderJail
from plainview.vault.derivative import open_derivative
from simulators.custody_rows import START
from simulators.premises import make_installation, make_intake


@dataclass
class Clock:
    """Stands still until it is told."""

    at = START

    def __call__(self):
        return self.at

    def pass_by(self, **length):
        self.at += timedelta(**length)


@contextlib.contextmanager
def working_jail():
    """The jail as a worker has it; starting it takes a second."""
    with DecoderJail(preload=PRELOAD) as jail:
        yield jail


@contextlib.contextmanager
def workplace(data, log, jail, **changes):
    """Yield a workplace; an engine that hears by the clock stands in for one that takes its time."""
    installation = make_installation(data, log)
    clock = Clock()
    given = {
        "installation": installation,
        "derived": open_derived(data),
        "jail": jail,
        "engine": "simulators.scribe:make_scribe",
        "models": data / "models",
        "samples": data / "sample-transcripts",
        "now": clock,
        "monotonic": time.monotonic,
        "is_stopping": lambda: False,
    }
    try:
        yield Workplace(**given | changes)
    finally:
        installation.keys.close()


def receive_file(place, tmp_path, data, name="clip.mp4"):
    """Take a file's bytes in; return its original."""
    path = tmp_path / name
    path.write_bytes(data)
    outcome = take_one(make_intake(place.installation, jail=place.jail), path)
    assert outcome.status == "received", outcome
    return queries.original_by_sha256(outcome.sha256)


def derived_bytes(place, row):
    """Return a derivative's bytes, as a page would read them."""
    keys, store = place.installation.keys, place.derived
    with open_derivative(store, keys, row.object_id, original_id=row.original.object_id) as reader:
        return io.BytesIO(reader.read()).getvalue()
