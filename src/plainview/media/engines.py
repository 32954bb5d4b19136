"""Choose the best engine that is there."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from plainview.media.speech_models import installed_models, read_manifest
from plainview.media.sphinx import SphinxEngine
from plainview.media.whisper import WhisperEngine

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.media.listening import Engine
    from plainview.media.speech_models import ModelManifest


def find_engine(models_folder: Path | None, *, threads: int = 1) -> Engine:
    """Load faster-whisper where it and a model of its are installed, else pocketsphinx.

    Loading takes a third of a second or more, and memory: once a process.

    Args:
        models_folder: with a folder for each installed model; None for none.
        threads: for hearing, where the engine can use them.

    Raises:
        ModelError: the model is incomplete. Nothing takes its place in silence.
    """
    chosen = chosen_model(models_folder)
    if chosen is None:
        return SphinxEngine()
    folder, manifest = chosen
    return WhisperEngine(folder, manifest, threads=threads)


def chosen_model(models_folder: Path | None) -> tuple[Path, ModelManifest] | None:
    """Give the model that find_engine would load: the largest, of equal ones the last by name.

    Raises:
        ModelError: an installed model is incomplete.
    """
    if models_folder is None or not can_use_models():
        return None
    found = [(folder, read_manifest(folder)) for folder in installed_models(models_folder)]
    return max(found, key=lambda each: (each[1].size_bytes, each[1].name), default=None)


def can_use_models() -> bool:
    """Say whether the program that models are for is installed."""
    return importlib.util.find_spec("faster_whisper") is not None
