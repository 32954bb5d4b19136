"""plainview export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.accounts.rules import Viewer
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, progress, say
from plainview.evidence.queries import access_recording, originals_of
from plainview.formats.note import format_vkey
from plainview.pipeline.export import Export, Order, export

if TYPE_CHECKING:
    from pathlib import Path


def run(
    data: Path,
    identifiers: list[str],
    *,
    output: Path,
    recipient: str | None,
    purpose: str | None,
    as_json: bool,
) -> None:
    """Make a package and say how to check it."""
    with opened(data, command="plainview export", say=say) as here, progress(is_quiet=as_json) as bar:
        viewer = Viewer(is_operator=True)
        found = [access_recording(viewer=viewer, identifier=identifier) for identifier in identifiers]
        recordings = list({recording.identifier: recording for recording in found}.values())
        total = sum(
            original.facts.size_bytes for recording in recordings for original in originals_of(recording)
        )
        task = bar.add_task("Copying originals", total=total)
        job = Export(
            order=Order(recordings, recipient, purpose, output.absolute()),
            installation=here.installation,
            actor=here.actor,
            now=utc_now(),
            on_bytes=lambda count: bar.advance(task, count),
        )
        made = export(job)
    keys = [format_vkey(key) for key in made.keys]
    if as_json:
        answer_json({"package": made.manifest.package, "folder": str(output), "key": keys[0], "keys": keys})
        return
    answer(f"Made {output}: {len(made.manifest.items)} originals with their proofs.")
    answer("The recipient checks it, offline, with the key they got from elsewhere:")
    answer(f"  python3 {output}/verify.py " + " ".join(f"--key '{key}'" for key in keys))
