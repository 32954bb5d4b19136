"""Check that a camera's journals follow each other: each names the one before, so a missing one shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterable, Mapping

if TYPE_CHECKING:
    from plainview.formats.capture import PreviousJournal
    from plainview.verify.capture import CaptureReport


@dataclass(frozen=True)
class JournalLink:
    """What one journal says of itself and of the one before.

    Attributes:
        counter: how many journals the camera had begun, this one included.
        stream: its id.
        previous: what it says of the one before; None for the camera's first.
        roots: its own root, 32 bytes, at each size that is signed.
    """

    counter: int
    stream: str
    previous: PreviousJournal | None
    roots: Mapping[int, bytes]


@dataclass(frozen=True)
class JournalChain:
    """What a camera's journals amount to together.

    Attributes:
        missing: counters of journals that were begun and are not here, as first and last.
        problems: sentences about journals that do not fit each other.
    """

    missing: tuple[tuple[int, int], ...]
    problems: tuple[str, ...]


def journal_link(report: CaptureReport) -> JournalLink | None:
    """Return what a checked journal says of its place among others; None where its first leaf is not here."""
    if report.start is None:
        return None
    return JournalLink(report.start.counter, report.stream, report.start.previous, report.roots)


def check_journal_chain(links: Iterable[JournalLink]) -> JournalChain:
    """Find which of a camera's journals are missing, and which do not fit the one before.

    Args:
        links: of one camera, in any order; what stands before the first of them is not asked for.
    """
    ordered = sorted(links, key=lambda link: link.counter)
    missing: list[tuple[int, int]] = []
    problems: list[str] = []
    for before, link in zip(ordered, ordered[1:]):
        if link.counter == before.counter:
            problems.append(f"Number {link.counter} was given twice, to {before.stream} and {link.stream}.")
        elif link.counter > before.counter + 1:
            missing.append((before.counter + 1, link.counter - 1))
        else:
            problems += _misfits(before, link)
    return JournalChain(tuple(missing), tuple(problems))


def _misfits(before: JournalLink, link: JournalLink) -> list[str]:
    previous = link.previous
    if previous is None:
        return [f"{link.stream} says that nothing came before it, and {before.stream} did."]
    if previous.stream != before.stream:
        return [f"{link.stream} says that {previous.stream} came before it; here it is {before.stream}."]
    root = before.roots.get(previous.size)
    if root is None:
        return [
            f"{link.stream} says that {before.stream} had {previous.size} entries; here no line shows it at that size."
        ]
    if root.hex() != previous.root:
        return [f"{before.stream} is another than the one that {link.stream} says came before it."]
    return []
