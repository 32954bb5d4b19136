"""Run every benchmark beside this file, print what it measured, and write docs/benchmarks.md.

Usage: python bench/run.py [NAME...]     only these; the rest of the document stays as it was
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import textwrap
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rows import Row

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"
NOT_BENCHMARKS = {"run", "rows", "memory"}

FOREWORD = """\
# Benchmarks

Written by `make bench`; do not edit. `make bench NAME=receive` measures one part anew.

A figure is a median unless it says otherwise. Where two things are compared they ran in turn in one run, so a slow
or busy machine slows both; read the ratios before the figures. "reached" is against the target of the first
version, on the machine named.
"""


@dataclass(frozen=True)
class Measured:
    """A benchmark's figures, or why it has none."""

    name: str
    rows: tuple[Row, ...]
    problem: str | None = None


def benchmarks() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def measure(name: str) -> Measured:
    try:
        return Measured(name, tuple(importlib.import_module(name).run()))
    except Exception as error:  # noqa: BLE001 - one that breaks must not hide the others, and is named at the end
        traceback.print_exc()
        return Measured(name, (), f"{type(error).__name__}: {error}")


def verdict(row: Row) -> str:
    return {True: "reached", False: "NOT REACHED", None: ""}[row.is_met]


def print_table(rows: tuple[Row, ...]) -> None:
    for row in rows:
        print(f"  {row.name:46} {row.measured:44} {row.target:26} {verdict(row)}", flush=True)
        if row.detail:
            print(textwrap.indent(textwrap.fill(row.detail, 110), "      "), flush=True)


def machine() -> str:
    """Say what it ran on, without saying whose it is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = [
        f"{cores} cores",
        processor(),
        memory(),
        f"{platform.system()} {platform.release().split('-')[0]}",
    ]
    load = f"load {os.getloadavg()[0]:.1f} when it began"
    return ", ".join([fact for fact in facts if fact] + [f"Python {platform.python_version()}", load])


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (ValueError, OSError):
        return ""


def section(result: Measured, *, date: str, on: str) -> str:
    lines = [f"## {result.name}", "", f"Run {date} on {on}.", ""]
    lines += ["| what | measured | target | |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {cell(row.name)} | {cell(row.measured)} | {cell(row.target)} | {verdict(row)} |"
        for row in result.rows
    ]
    lines += ["", *(f"- {row.name}: {row.detail}." for row in result.rows if row.detail)]
    return "\n".join(lines).rstrip() + "\n"


def write_document(fresh: dict[str, str]) -> None:
    """Replace the sections that were measured now, and keep the others as they are."""
    kept = DOCUMENT.read_text("utf-8").split("\n## ")[1:] if DOCUMENT.exists() else []
    sections = {text.partition("\n")[0]: f"## {text.rstrip()}\n" for text in kept} | fresh
    parts = [FOREWORD, *(sections[name] for name in benchmarks() if name in sections)]
    DOCUMENT.write_text("\n".join(parts), "utf-8")
    print(f"wrote {DOCUMENT.relative_to(HERE.parent)}")


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    names = sys.argv[1:] or benchmarks()
    unknown = sorted(set(names) - set(benchmarks()))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(benchmarks())}")
        return 2
    on, date = machine(), datetime.now(UTC).date().isoformat()
    results = []
    for name in names:
        print(f"{name} ...", flush=True)
        results.append(measure(name))
        print_table(results[-1].rows)
    problems = [result for result in results if result.problem]
    for result in problems:
        print(f"{result.name} did not run: {result.problem}")
    write_document({each.name: section(each, date=date, on=on) for each in results if not each.problem})
    missed = [row.name for result in results for row in result.rows if row.is_met is False]
    print(
        f"not reached: {', '.join(missed)}"
        if missed
        else "every target that this machine can judge was reached"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
