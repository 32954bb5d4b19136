"""Write what a check found: for a person, or as one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from plainview.formats.package import PACKAGE_JSON
from plainview.formats.times import format_at
from plainview.verify.verdicts import (
    ALTERED,
    CANNOT_CHECK_EXIT_CODE,
    MISSING,
    NOT_CLOSED,
    OK,
    SIGNER_UNKNOWN,
    UNLISTED,
    UNPROVEN,
    VERDICTS,
)

if TYPE_CHECKING:
    from plainview.formats.leaf import CustodyLeaf
    from plainview.verify.results import FileResult, PackageReport

REPORT_KIND = "plainview-verification"

# What the whole amounts to, by its gravest verdict.
CONCLUSIONS = {
    ALTERED: "Do not rely on the files marked ALTERED. Ask whoever made this for another copy.",
    MISSING: "Something that belongs here is not here. Ask whoever made this for another copy.",
    UNLISTED: "Something here does not belong here. The files marked OK are not affected by it.",
    UNPROVEN: "For the files marked UNPROVEN the proof is absent or does not fit. Ask whoever made this for another "
    "copy.",
    NOT_CLOSED: "A recording has no end that can be shown. What is here is as the camera recorded it.",
    SIGNER_UNKNOWN: "Whose key signed this has not been checked: compare the key below, character by character, with "
    "one you got from elsewhere (a certificate, the department's notice board or web page, an earlier receipt), or "
    "run this again with --key.",
    OK: "Every file is, byte for byte, what the log says it is, under a key that was given or pinned.",
}

LIMITS = (
    "It does not show that what is in the footage happened as it seems, or that a clock was right.",
    "It does not show that nothing else was recorded.",
    "It does not bind whoever holds the log's signing key, except through co-signers who saw the log.",
    "A checker that came in the same folder could be altered too: get it, and the key, from elsewhere.",
)


def shown(text: str) -> str:
    """Return text with everything a terminal might obey, or an eye might miss, written as an escape."""
    return "".join(
        character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in text
    )


def format_report(report: PackageReport) -> str:
    """Write a report for a person: one line a file, what it amounts to, facts, and what it does not show."""
    sections = [
        [_file_line(result) for result in report.files],
        _conclusion_lines(report),
        _fact_lines(report),
        ["What this does not show:", *(f"  - {limit}" for limit in LIMITS)],
    ]
    return "\n".join("\n".join(section) + "\n" for section in sections if section)


def _file_line(result: FileResult) -> str:
    line = f"{result.verdict:<14}  {shown(result.path)}"
    return f"{line}  ({shown(result.reason)})" if result.reason else line


def _conclusion_lines(report: PackageReport) -> list[str]:
    counts = {
        verdict.word: sum(result.verdict == verdict.word for result in report.files) for verdict in VERDICTS
    }
    tally = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines = [f"Result: {report.verdict.word}. Files: {tally}."]
    lines += [f"  {verdict.word}: {verdict.sentence}" for verdict in VERDICTS if counts[verdict.word]]
    lines.append(CONCLUSIONS[report.verdict.word])
    if counts[SIGNER_UNKNOWN] and report.verdict.word != SIGNER_UNKNOWN:
        lines.append(CONCLUSIONS[SIGNER_UNKNOWN])
    return [*lines, *(shown(warning) for warning in report.warnings)]


def _fact_lines(report: PackageReport) -> list[str]:
    lines = [_original_line(leaf) for leaf in report.originals]
    lines += [f"{capture.path}: {capture.sentence}" for capture in report.captures]
    package, told, checkpoint = report.package, report.told, report.checkpoint
    if package is not None:
        standing = next(result.verdict for result in report.files if result.path == PACKAGE_JSON)
        doubt = "" if standing in (OK, SIGNER_UNKNOWN) else f" (so says {PACKAGE_JSON}, which is {standing})"
        lines.append(f"Package {package.package}, made {format_at(package.at)} with {package.tool}{doubt}")
        lines.append(
            f"  for: {package.recipient or 'nobody named'}; purpose: {package.purpose or 'none named'}"
        )
    if told is not None:
        lines.append(f"Entry {told.seq} of the log, {format_at(told.at)}: {told.act} {told.object}")
    if checkpoint is not None:
        lines.append(f"Log {checkpoint.origin}, {checkpoint.size} entries, root {checkpoint.root.hex()}")
    lines += [f"Signed by {signer}" for signer in report.signers]
    if checkpoint is not None:
        lines += witness_facts(report)
    return [shown(line) for line in lines]


def _original_line(leaf: CustodyLeaf) -> str:
    size, digest = leaf.facts.get("size_bytes"), leaf.facts.get("sha256")
    return f"{leaf.object}: received {format_at(leaf.at)}, {size} bytes, SHA-256 {digest}"


def witness_facts(report: PackageReport) -> list[str]:
    """Return "WITNESSED BY k OF n", and "TIME BETWEEN a AND b" where a co-signer signed."""
    signed, known, times = report.cosigners
    doubt = (
        "" if report.are_cosigners_given or not known else " (co-signers as the package itself names them)"
    )
    facts = [f"WITNESSED BY {signed} OF {known}{doubt}"]
    if times:
        facts.append(f"TIME BETWEEN {format_at(times[0])} AND {format_at(times[-1])}")
    return facts


def format_report_json(report: PackageReport) -> str:
    """Write a report as one JSON document, described in docs/formats/verdicts.md."""
    package, told, checkpoint = report.package, report.told, report.checkpoint
    document: dict[str, Any] = {
        "v": 1,
        "kind": REPORT_KIND,
        "verdict": report.verdict.word,
        "exit_code": report.verdict.exit_code,
        "error": None,
        "files": [_file_record(result) for result in report.files],
        "originals": [_leaf_record(leaf) for leaf in report.originals],
        "captures": [asdict(capture) for capture in report.captures],
        "package": package
        and {
            "id": package.package,
            "at": format_at(package.at),
            "recipient": package.recipient,
            "purpose": package.purpose,
            "tool": package.tool,
        },
        "told": told and _leaf_record(told),
        "checkpoint": checkpoint
        and {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "signers": list(report.signers),
        "witnessed": {
            "by": report.cosigners.signed,
            "of": report.cosigners.known,
            "given": report.are_cosigners_given,
            "times": [format_at(time) for time in report.cosigners.times],
        },
        "warnings": list(report.warnings),
    }
    return _dump(document)


def format_refusal_json(problem: str) -> str:
    """Write the JSON document of a check that could not be made."""
    return _dump(
        {"v": 1, "kind": REPORT_KIND, "verdict": None, "exit_code": CANNOT_CHECK_EXIT_CODE, "error": problem}
    )


def _dump(document: dict[str, Any]) -> str:
    # Names that are not text in any encoding are written as Python's surrogate escapes.
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _file_record(result: FileResult) -> dict[str, Any]:
    return {
        "path": result.path,
        "verdict": result.verdict,
        "reason": result.reason,
        "sha256": result.sha256,
        "recording": result.recording,
        "altered": [
            {
                "first_mib": part.first_mib,
                "last_mib": part.last_mib,
                "first_ms": part.first_ms,
                "last_ms": part.last_ms,
            }
            for part in result.altered
        ],
    }


def _leaf_record(leaf: CustodyLeaf) -> dict[str, Any]:
    return {
        "index": leaf.seq,
        "at": format_at(leaf.at),
        "act": leaf.act,
        "object": leaf.object,
        "facts": dict(leaf.facts),
    }
