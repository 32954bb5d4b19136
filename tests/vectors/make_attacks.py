"""Write docs/formats/attacks.md by running every attack: python tests/vectors/make_attacks.py."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from simulators.attacks import Row, all_rows  # noqa: E402 - found on the path set above

PAGE = ROOT / "docs" / "formats" / "attacks.md"
HEAD = """# Attacks, and what the checker says of each

This table is written by running every attack (`python tests/vectors/make_attacks.py`); a test fails when it differs
from what happens, or when a verdict is another than the one that was meant. What each word means is in
[verdicts.md](verdicts.md). "Details" counts the verdicts over a golden package of two originals.

Unless a row says otherwise the right key is given. "Exported" means that the holder of the log's key was brought to
sign the altered package; that is the most an outsider cannot do. For a log, "found" means that the audit behind
`plainview fsck` reports it and names a file; "refused" that nothing was signed or accepted. For a recording that its
camera signed, the camera's key is given, and "no harm" means that everything is still what the camera signed.
"""


def table(outcomes: list[tuple[Row, str, str]]) -> str:
    """Return the page."""
    parts = [HEAD]
    group = None
    for row, verdict, details in outcomes:
        if row.group != group:
            group = row.group
            parts.append(f"\n## {group}\n\n| No. | Attack | Verdict | Details |\n| --- | --- | --- | --- |\n")
        parts.append(f"| {row.number} | {row.attack} | {verdict} | {details} |\n")
    return "".join(parts)


def run_all() -> list[tuple[Row, str, str]]:
    """Run every attack, each in a folder of its own."""
    outcomes = []
    for row in all_rows():
        with tempfile.TemporaryDirectory() as scratch:
            outcomes.append((row, *row.run(Path(scratch))))
    return outcomes


if __name__ == "__main__":
    PAGE.write_text(table(run_all()), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
