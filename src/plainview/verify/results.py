"""What a check found, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from plainview.verify.note import CosignerCount
from plainview.verify.verdicts import Verdict, gravest

if TYPE_CHECKING:
    from plainview.formats.checkpoint import Checkpoint
    from plainview.formats.leaf import CustodyLeaf
    from plainview.formats.package import PackageManifest
    from plainview.verify.original import AlteredPart

NO_COSIGNERS = CosignerCount(0, 0, ())
# Told bytes done and bytes in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FileResult:
    """The verdict on one file.

    Attributes:
        path: below the folder, with / between parts, as the folder has it: it may hold anything.
        verdict: a word of VERDICTS.
        reason: why, in words; empty where the verdict's own sentence says it all.
        sha256: of the file as it is, 64 hex digits; None where it was not read.
        recording: whose original it is, as the log says; None for other files and where nothing proves it.
        altered: which parts of an original differ, where that can be told.
    """

    path: str
    verdict: str
    reason: str = ""
    sha256: str | None = None
    recording: str | None = None
    altered: tuple[AlteredPart, ...] = ()


@dataclass(frozen=True)
class PackageCapture:
    """What the camera that recorded an original signed of it: a fact, whatever the verdict on the file.

    Attributes:
        path: of the original.
        sentence: the same for a person, on one line.
        verdict: a word of VERDICTS on the recording as the camera signed it.
        camera: its name.
        stream: id of its journal.
        fragments: how many there were.
        proven: how many of them are as signed.
        is_closed: whether the camera said that this is all.
        is_key_vouched: whether a leaf in the package says that the key is the camera's.
    """

    path: str
    sentence: str
    verdict: str
    camera: str
    stream: str
    fragments: int
    proven: int
    is_closed: bool
    is_key_vouched: bool


@dataclass(frozen=True)
class PackageReport:
    """What a check found.

    Attributes:
        files: one result a file, footage first; never empty.
        package: what package.json says, vouched for or not; None where it cannot be read.
        told: the leaf that proves the package, or that a receipt holds; None where its proof does not fit.
        checkpoint: that its proof leads to.
        originals: the received leaves of originals in here whose proofs fit.
        signers: keys of logs that signed the proofs, as vkeys; name+id where nobody gave the key itself.
        cosigners: known co-signers of the checkpoint.
        are_cosigners_given: whether their keys came from outside the package, or the package names them itself.
        warnings: sentences a reader must see.
        captures: what cameras signed, for each original that carries its camera's journal.
    """

    files: tuple[FileResult, ...]
    package: PackageManifest | None = None
    told: CustodyLeaf | None = None
    checkpoint: Checkpoint | None = None
    originals: tuple[CustodyLeaf, ...] = ()
    signers: tuple[str, ...] = ()
    cosigners: CosignerCount = NO_COSIGNERS
    are_cosigners_given: bool = False
    warnings: tuple[str, ...] = ()
    captures: tuple[PackageCapture, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict on any file."""
        return gravest(result.verdict for result in self.files)
