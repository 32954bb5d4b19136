"""Say how much of the code the tests ran, and fail unless what must be run whole was.

Usage: after `coverage combine`: python tests/coverage_floor.py
"""

import json
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

# Every branch of these: what is received, signed, checked and decided.
WHOLE = (
    "*/plainview/formats/*.py",
    "*/plainview/verify/*.py",
    "*/plainview/vault/*.py",
    "*/plainview/custody/*.py",
    "*/plainview/*/rules.py",
)
# What may be missing all the same: file, how many lines and branches, and why. Keep it short.
SHIMS: dict[str, tuple[int, str]] = {}


def report() -> dict:
    """Return coverage's own report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "-q", "--ignore-errors", "-o", str(path)]
        said = subprocess.run(command, check=False, capture_output=True, text=True)
        if said.returncode:
            raise SystemExit(f"coverage says: {(said.stdout + said.stderr).strip()}. Run: make test")
        return json.loads(path.read_text("utf-8"))


def missing(summary: dict) -> int:
    """Return how many lines and branches of a file, or of all, no test ran."""
    return summary["missing_lines"] + summary["num_branches"] - summary["covered_branches"]


def allowed(name: str) -> int:
    """Return how many lines and branches of a file may be missing."""
    return next((count for shim, (count, _) in SHIMS.items() if name.endswith(shim)), 0)


def is_whole(name: str) -> bool:
    """Say whether every branch of this file must run."""
    plain = name.replace("\\", "/")
    return "/migrations/" not in plain and any(fnmatch("/" + plain, pattern) for pattern in WHOLE)


def shortfalls(files: dict) -> list[str]:
    """Return a line for each file that must be run whole and was not."""
    found = []
    for name, facts in sorted(files.items()):
        if is_whole(name) and missing(facts["summary"]) > allowed(name):
            branches = [f"{start}->{'exit' if end < 0 else end}" for start, end in facts["missing_branches"]]
            places = [*map(str, facts["missing_lines"]), *branches]
            found.append(f"  {name}: {', '.join(places)}")
    return found


def main() -> int:
    """Print the total; return 1 where something falls short."""
    facts = report()
    totals = facts["totals"]
    ran = totals["covered_lines"] + totals["covered_branches"]
    of = totals["num_statements"] + totals["num_branches"]
    whole = [name for name in facts["files"] if is_whole(name)]
    print(f"The tests ran {100 * ran / of:.1f}% of lines and branches ({ran:,} of {of:,}).")
    short = shortfalls(facts["files"])
    if short or not whole:
        print(f"These {len(short)} of {len(whole)} files must be run whole and were not (lines, branches):")
        print("\n".join(short))
        return 1
    print(f"formats, verify, vault, custody and every rules.py: every branch ({len(whole)} files).")
    for shim, (count, reason) in SHIMS.items():
        print(f"  but for {count} in {shim}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
