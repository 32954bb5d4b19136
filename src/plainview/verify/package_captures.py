"""Say of a package's originals what the camera that recorded them signed: a fact beside the verdict on the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Iterable, Iterator, Mapping

from plainview.formats.capture import journal_key, parse_journal_line
from plainview.formats.checkpoint import parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.fields import HEX_32_BYTES
from plainview.formats.note import parse_note
from plainview.formats.times import format_at
from plainview.verify.capture import check_capture
from plainview.verify.capture_boxes import first_journal_box
from plainview.verify.capture_report import describe_capture
from plainview.verify.errors import VerificationError
from plainview.verify.folder import open_regular
from plainview.verify.results import PackageCapture

if TYPE_CHECKING:
    from plainview.verify.capture import CaptureReport
    from plainview.verify.leaves import LeafFinding

CAMERA_ADMITTED = "camera.admitted"
CAMERA_REVOKED = "camera.revoked"


def check_captures(
    folder: str, paths: Iterable[str], leaves: Iterable[LeafFinding]
) -> Iterator[PackageCapture]:
    """Check each original that carries a camera's journal; the others are passed over.

    Args:
        folder: the package.
        paths: of originals in it.
        leaves: disclosed ones; those of admitted and revoked cameras say whose key counts.
    """
    vouched = [found.leaf for found in leaves if found.standing.fits and found.leaf.outcome == "ok"]
    admitted = {
        (leaf.facts.get("camera"), leaf.facts.get("public_key"))
        for leaf in vouched
        if leaf.act == CAMERA_ADMITTED
    }
    revoked = {leaf.facts.get("public_key"): leaf.at for leaf in vouched if leaf.act == CAMERA_REVOKED}
    keys = dict(_camera_keys(admitted))
    for path in paths:
        found = _check_original(os.path.join(folder, *path.split("/")), keys)  # noqa: PTH118 - hostile names
        if found is None or not found[0].stream:
            continue
        report, public_key = found
        sentence = describe_capture(report)
        revoked_at = None if public_key is None else revoked.get(public_key.hex())
        if revoked_at is not None:
            sentence += f", by a key that was revoked {format_at(revoked_at)}"
        yield PackageCapture(
            path=path,
            sentence=sentence,
            verdict=report.verdict.word,
            camera=report.camera,
            stream=report.stream,
            fragments=report.fragment_count,
            proven=report.proven_count,
            is_closed=report.is_closed,
            is_key_vouched=report.is_signer_known,
        )


def _check_original(path: str, keys: Mapping[bytes, str]) -> tuple[CaptureReport, bytes | None] | None:
    """Return what was found and by which key; None without a journal, or where the file cannot be read."""
    try:
        with open_regular(path) as footage:
            line = first_journal_box(footage)
            if line is None:
                return None
            public_key = _key_of(line, keys)
            return check_capture(footage, public_key=public_key), public_key
    except (OSError, VerificationError):
        # The verdict on the file says so already.
        return None


def _camera_keys(admitted: Iterable[tuple[object, object]]) -> Iterator[tuple[bytes, str]]:
    """Return, for each admitted key, whose camera's it is."""
    for camera, public_key in admitted:
        if isinstance(public_key, str) and HEX_32_BYTES.match(public_key):
            yield bytes.fromhex(public_key), str(camera)


def _key_of(line: bytes, keys: Mapping[bytes, str]) -> bytes | None:
    """Return which of the keys signed a line, by what the line says; the check itself comes after."""
    try:
        note = parse_note(parse_journal_line(line).proof.note)
        origin = parse_checkpoint(note.text).origin
    except FormatError:
        return None
    camera = origin.rpartition("/")[0]
    key_ids = {signature.key_id for signature in note.signatures}
    mine = [key for key, owner in keys.items() if owner == camera]
    return next((key for key in mine if journal_key(origin, key).key_id in key_ids), None)
