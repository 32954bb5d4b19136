"""A speech model as it lies in a folder: its files, and the manifest that says what they were when installed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from plainview.formats.errors import FormatError
from plainview.formats.fields import HEX_32_BYTES, LINE, check_count, check_record, check_text
from plainview.media.errors import ModelError, NotAModelError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
NEEDED: Final = ("config.json", "model.bin", "tokenizer.json")
# One of these two, and what tells how sound is cut up where that is not as usual.
VOCABULARIES: Final = ("vocabulary.json", "vocabulary.txt")
OPTIONAL: Final = ("preprocessor_config.json",)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
# A CTranslate2 model begins with its version and what it is a model of.
_KIND: Final = b"WhisperSpec"
_HEAD_BYTES: Final = 64
_MAX_MANIFEST_BYTES: Final = 1 << 16


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """One file of a model. sha256: in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class ModelManifest:
    """What was installed.

    Attributes:
        name: what the model is called, such as "small"; also its folder's name.
        source: where it came from, in words.
        files: in order of their names.
    """

    name: str
    source: str
    files: tuple[ModelFile, ...]

    @property
    def size_bytes(self) -> int:
        """Add up the files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """Give one number for all files: the SHA-256 of the names and digests, as sha256sum prints them."""
        lines = "".join(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()


def describe_model(folder: Path, *, name: str, source: str) -> ModelManifest:
    """Check that a folder holds a Whisper model in CTranslate2's form, and read every byte of it.

    Args:
        folder: with the files of the model; others in it are left alone.
        name: what to call it.
        source: where it came from, in words.

    Raises:
        NotAModelError: a file is missing or is something else, or the name cannot be a folder's.
        OSError: it cannot be read.
    """
    if _NAME.match(name) is None:
        raise NotAModelError(
            f"A model's name has letters, digits, dots, dashes and underlines, not {name[:100]!r}"
        )
    missing = [each for each in NEEDED if not (folder / each).is_file()]
    vocabularies = [each for each in VOCABULARIES if (folder / each).is_file()]
    if not vocabularies:
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise NotAModelError(f"{folder} lacks {', '.join(missing)}")
    with (folder / "model.bin").open("rb") as file:
        if _KIND not in file.read(_HEAD_BYTES):
            raise NotAModelError(f"{folder / 'model.bin'} is not of a Whisper model")
    present = [each for each in OPTIONAL if (folder / each).is_file()]
    files = tuple(_described(folder, each) for each in sorted((*NEEDED, *vocabularies, *present)))
    return ModelManifest(name=name, source=source, files=files)


def format_manifest(manifest: ModelManifest) -> bytes:
    """Give the manifest's bytes."""
    return json.dumps({"v": 1, **dataclasses.asdict(manifest)}, indent=1, sort_keys=True).encode() + b"\n"


def read_manifest(folder: Path) -> ModelManifest:
    """Read the manifest of an installed model and compare the sizes of its files, which costs nothing.

    Raises:
        ModelError: there is none, it is malformed, or a file is missing or of another size.
    """
    try:
        with (folder / MANIFEST).open("rb") as file:
            value = json.loads(file.read(_MAX_MANIFEST_BYTES))
        manifest = _parsed(value, folder.name)
        for each in manifest.files:
            size_bytes = (folder / each.name).stat().st_size
            if size_bytes != each.size_bytes:
                raise ModelError(folder.name, f"{each.name} has {size_bytes} bytes, not {each.size_bytes}")
    except (FormatError, ValueError, OSError) as error:
        raise ModelError(folder.name, str(error)) from error
    return manifest


def check_model(folder: Path) -> ModelManifest:
    """Read every byte of an installed model and compare it with what was installed.

    Raises:
        ModelError: it differs.
    """
    manifest = read_manifest(folder)
    for each in manifest.files:
        if _described(folder, each.name) != each:
            raise ModelError(folder.name, f"{each.name} is not what was installed")
    return manifest


def installed_models(models_folder: Path) -> list[Path]:
    """Give the folders of installed models, by name; what is being installed is not among them."""
    if not models_folder.is_dir():
        return []
    return sorted(path for path in models_folder.iterdir() if path.is_dir() and _NAME.match(path.name))


def _described(folder: Path, name: str) -> ModelFile:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return ModelFile(name=name, size_bytes=file.tell(), sha256=digest.hexdigest())


def _parsed(value: object, folder_name: str) -> ModelManifest:
    what = "manifest"
    fields = check_record(value, what=what, keys=frozenset(("v", "name", "source", "files")))
    name = check_text(fields["name"], what=what, field="name", pattern=_NAME)
    if name != folder_name:
        raise FormatError(what, f"name: expected {folder_name}, got {name}")
    if not isinstance(fields["files"], list):
        raise FormatError(what, "files: expected a list")
    files = tuple(_parsed_file(each, f"{what}.files") for each in fields["files"])
    if not set(NEEDED) <= {file.name for file in files}:
        raise FormatError(what, f"files: expected at least {', '.join(NEEDED)}")
    source = check_text(fields["source"], what=what, field="source", pattern=LINE)
    return ModelManifest(name=name, source=source, files=files)


def _parsed_file(value: Any, what: str) -> ModelFile:
    fields = check_record(value, what=what, keys=frozenset(("name", "size_bytes", "sha256")))
    name = check_text(fields["name"], what=what, field="name")
    if name not in (*NEEDED, *VOCABULARIES, *OPTIONAL):
        raise FormatError(what, f"name: no model has a file {name[:80]!a}")
    return ModelFile(
        name=name,
        size_bytes=check_count(fields["size_bytes"], what=what, field="size_bytes"),
        sha256=check_text(fields["sha256"], what=what, field="sha256", pattern=HEX_32_BYTES),
    )
