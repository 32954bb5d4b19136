"""Transcripts that the sample department brings along, typed from its script; keyed by their recording's bytes.

One file a recording, SHA256-OF-THE-ORIGINAL.json:

    {"v": 1, "original_sha256": "5f70...", "language": "en", "cues": [{"start_ms": 1200, "end_ms": 2050,
    "text": "Stop there.", "words": [[1200, 1600, "Stop", null], [1640, 2050, "there.", null]]}]}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from plainview.formats.errors import FormatError
from plainview.formats.fields import check_hash, check_record
from plainview.media.errors import MalformedTranscriptError
from plainview.media.transcript import TranscriptFound, cue_to_json, transcript_from_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plainview.media.transcript import Cue

_KEYS: Final = frozenset(("v", "original_sha256", "language", "cues"))


def find_sample(folder: Path | None, original_sha256: str) -> TranscriptFound | None:
    """Give the sample transcript of an original, or None where there is none.

    Args:
        folder: of sample transcripts; need not exist.
        original_sha256: in hexadecimal.

    Raises:
        MalformedTranscriptError: there is one, and it is not one that format_sample would have written.
        OSError: it cannot be read.
    """
    path = None if folder is None else folder / f"{original_sha256}.json"
    if path is None or not path.is_file():
        return None
    return parse_sample(path.read_bytes(), original_sha256=original_sha256)


def format_sample(*, original_sha256: str, language: str, cues: Sequence[Cue]) -> bytes:
    """Give the file's bytes."""
    fields = {"v": 1, "original_sha256": original_sha256, "language": language}
    return json.dumps({**fields, "cues": [cue_to_json(cue) for cue in cues]}, ensure_ascii=False).encode()


def parse_sample(data: bytes, *, original_sha256: str) -> TranscriptFound:
    """Read a sample transcript, notice "sample".

    Args:
        data: the file's bytes.
        original_sha256: of the original it is wanted for.

    Raises:
        MalformedTranscriptError: it is none, or another recording's.
    """
    what = "sample transcript"
    try:
        fields = check_record(json.loads(data), what=what, keys=_KEYS)
        check_hash(fields["original_sha256"], what=what, field="original_sha256")
    except (FormatError, ValueError, RecursionError) as error:
        raise MalformedTranscriptError(str(error)) from error
    if fields["original_sha256"] != original_sha256:
        raise MalformedTranscriptError(
            f"it is of {fields['original_sha256']}, and the recording is {original_sha256}"
        )
    typed = {
        "v": 1,
        "engine": "typed",
        "model": "",
        "version": "",
        "settings": {},
        "language": fields["language"],
        "notice": "sample",
        "reason": None if fields["cues"] else "no_speech",
        "warnings": [],
        "left_out": [],
        "speech_ms": 0,
        "cues": fields["cues"],
    }
    return transcript_from_json(typed)
