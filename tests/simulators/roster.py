"""People, devices and received originals for the tests of the tables above custody."""

from datetime import timedelta
from hashlib import sha256

from plainview.evidence.actions import ProbeFacts, receive_recording
from plainview.evidence.rules import CaptureTimes, OriginalFacts
from simulators.custody_rows import CLERK, START

UNKNOWN_TIMES = CaptureTimes(started_at=None, ended_at=None, zone="UTC", clock_source="unknown")
TIMES = CaptureTimes(
    started_at=START - timedelta(days=1),
    ended_at=START - timedelta(days=1) + timedelta(minutes=9),
    zone="America/New_York",
    clock_source="file",
)
CHUNK_TIMES = b'{"chunks":[]}'
PROBE = ProbeFacts(
    tool="plainview.media 0.1.0",
    found={"streams": []},
    chunk_times=CHUNK_TIMES,
    confinement={"network": "none"},
)


def digest(*words):
    return sha256("/".join(map(str, words)).encode()).hexdigest()


def original(word, *, object_word=None):
    """Return the facts of an original: the same word is the same bytes, another object word another copy of them."""
    stored = object_word or word
    return OriginalFacts(
        object_id=digest("object", stored)[:32],
        object_bytes=2_411_700,
        object_sha256=digest("ciphertext", stored),
        sha256=digest("bytes", word),
        chunk_root=digest("root", word),
        size_bytes=2_411_585,
    )


def receive(word, **more):
    """Receive an original and make a recording of it."""
    asked = {
        "original": original(word),
        "probe": PROBE,
        "times": TIMES,
        "offered_name": "clip.mp4",
        "source": "import",
        "actor": CLERK,
        "now": START,
    } | more
    return receive_recording(**asked)
