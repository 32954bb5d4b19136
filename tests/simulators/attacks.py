"""The numbered attacks of docs/formats/attacks.md: each is run, and the table is written from what came out.

Whoever defends against another kind of attack adds a module with a list of Row and names it in all_rows().
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One attack.

    Attributes:
        number: such as P07; never reused.
        attack: what the attacker does, in one sentence.
        verdict: what must come out.
        run: does it in an empty folder and returns (verdict, details).
        group: the heading it stands under.
    """

    number: str
    attack: str
    verdict: str
    run: Callable[[Path], tuple[str, str]]
    group: str


def all_rows() -> list[Row]:
    """Return every attack, by number."""
    rows = list(
        _rows_of(
            "simulators.package_attacks",
            "simulators.receipt_attacks",
            "simulators.log_attacks",
            "simulators.capture_attacks",
        )
    )
    assert len({row.number for row in rows}) == len(rows), "a number is used twice"
    return rows


def _rows_of(*names: str) -> Iterator[Row]:
    for name in names:
        yield from importlib.import_module(name).ROWS
