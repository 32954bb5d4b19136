"""plainview models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plainview.cli.talk import answer, answer_json, say
from plainview.media.engines import can_use_models, chosen_model
from plainview.media.errors import ModelError
from plainview.media.speech_models import ModelManifest, check_model, installed_models
from plainview.pipeline.model_install import MODELS, download_model, install_model

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED = "pocketsphinx"


def install(data: Path, *, model: str, source: Path | None, as_json: bool) -> None:
    """Install a model from a folder, or from the network where no folder is named."""
    if source is None:
        say(f"Fetching {model} from the network. This may take minutes.")
        manifest = download_model(data, name=model)
    else:
        manifest = install_model(data, source, name=model)
    if as_json:
        answer_json(_record(manifest))
        return
    answer(f"{manifest.name}  {_size(manifest)}  {manifest.source}  SHA-256 {manifest.sha256}")
    say(_used(data))


def show(data: Path, *, as_json: bool) -> int:
    """List what is installed, having read every byte of it. Returns 1 where a model is not what was installed."""
    damaged = 0
    for folder in installed_models(data / MODELS):
        try:
            manifest = check_model(folder)
        except ModelError as error:
            damaged += 1
            say(str(error))
            continue
        if as_json:
            answer_json(_record(manifest))
        else:
            answer(f"{manifest.name}  {_size(manifest)}  {manifest.source}")
    if not damaged:
        say(_used(data))
    return 1 if damaged else 0


def _used(data: Path) -> str:
    chosen = chosen_model(data / MODELS)
    if chosen is not None:
        return f"Transcripts are made with faster-whisper and the model {chosen[1].name}."
    why = (
        "no model is installed: plainview models install --help"
        if can_use_models()
        else "faster-whisper is not installed: pip install 'plainview[speech]'"
    )
    return f"Transcripts are search hints, made with {BUNDLED} and the model it brings; {why}"


def _size(manifest: ModelManifest) -> str:
    return f"{manifest.size_bytes / 1e6:.0f} MB"


def _record(manifest: ModelManifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "source": manifest.source,
        "size_bytes": manifest.size_bytes,
        "sha256": manifest.sha256,
        "files": {file.name: file.sha256 for file in manifest.files},
    }
