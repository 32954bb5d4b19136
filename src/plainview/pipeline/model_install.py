"""Put a speech model into the data directory: checked, described, and there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.media.engines import can_use_models
from plainview.media.speech_models import (
    MANIFEST,
    ModelManifest,
    describe_model,
    format_manifest,
    read_manifest,
)
from plainview.pipeline.errors import PipelineError
from plainview.service.files import publish_file, write_private_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# In the data directory.
MODELS = "models"


class ModelNotInstalledError(PipelineError):
    """A model cannot be installed as asked; what was installed before is as it was."""


def install_model(data: Path, source: Path, *, name: str, said_source: str | None = None) -> ModelManifest:
    """Copy a model from a folder.

    Args:
        data: the data directory; made if it is not there.
        source: holds a Whisper model in CTranslate2's form; only the files of such a model are taken.
        name: what to call it.
        said_source: where it came from; by default the folder's own name.

    Returns:
        What is installed now. A model of this name with the same files is left as it is.

    Raises:
        NotAModelError: the folder holds no such model.
        ModelNotInstalledError: another model of this name is there.
        OSError: it cannot be read or written.
    """
    manifest = describe_model(source, name=name, source=said_source or f"folder {source.resolve().name}")
    target = data / MODELS / name
    if target.exists():
        return _same_as_installed(target, manifest)
    with _unfinished(data / MODELS) as folder:
        for file in manifest.files:
            shutil.copyfile(source / file.name, folder / file.name)
            _sync_file(folder / file.name)
        # Read back: a disk that lies would otherwise be found in the middle of somebody's recording.
        if describe_model(folder, name=name, source=manifest.source) != manifest:
            raise ModelNotInstalledError(
                f"What was written of {name} is not what was read, or its files changed meanwhile. Nothing was "
                "installed. See that the disk is sound, then install it again."
            )
        write_private_file(folder / MANIFEST, format_manifest(manifest))
        publish_file(folder, target)
    return manifest


def download_model(
    data: Path, *, name: str, fetch: Callable[[str, Path], Path] | None = None
) -> ModelManifest:
    """Fetch a model from the public hub of its makers, and install it.

    Args:
        data: the data directory.
        name: one of the sizes faster-whisper knows, such as "small".
        fetch: takes the name and a folder to work in, gives the folder of the model's files; for tests.

    Raises:
        ModelNotInstalledError: the program for it is missing, no such model is known, or it cannot be fetched.
        NotAModelError, OSError: as install_model.
    """
    if (data / MODELS / name).is_dir():
        return read_manifest(data / MODELS / name)
    with _unfinished(data / MODELS) as folder:
        fetched = (fetch or _fetch)(name, folder)
        return install_model(data, fetched, name=name, said_source=f"downloaded, revision {fetched.name}")


def _same_as_installed(target: Path, manifest: ModelManifest) -> ModelManifest:
    installed = read_manifest(target)
    if installed.files != manifest.files:
        raise ModelNotInstalledError(
            f"Another model called {manifest.name} is installed at {target}. Nothing was changed. Choose another "
            "--name, or delete that folder first."
        )
    return installed


@contextmanager
def _unfinished(models: Path) -> Iterator[Path]:
    """Give a new folder that goes away in the end, unless it was renamed."""
    for each in (models.parent, models):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = models / f".unfinished-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _fetch(name: str, folder: Path) -> Path:
    if not can_use_models():
        raise ModelNotInstalledError(
            "faster-whisper is not installed, and only it uses models. Install it first: "
            "pip install 'plainview[speech]'"
        )
    # Slow to load, and without types.
    import faster_whisper  # type: ignore[import-untyped]  # noqa: PLC0415

    if name not in faster_whisper.available_models():
        raise ModelNotInstalledError(
            f"No model is called {name!r}. Expected one of {', '.join(faster_whisper.available_models())}; or name a folder that "
            "holds one: --from FOLDER"
        )
    try:
        return Path(faster_whisper.download_model(name, cache_dir=str(folder)))
    except (OSError, ValueError) as error:
        said = str(error).splitlines()[0][:200]
        raise ModelNotInstalledError(
            f"The model {name} could not be fetched ({said}). Nothing was installed. Without a network, copy its folder "
            "from a machine that has one: plainview models install --from FOLDER"
        ) from error
