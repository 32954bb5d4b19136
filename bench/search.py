"""How fast words are found in 1,000,000 pieces of transcript.

Usage: python bench/search.py [--cues N]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
from library import Took, answer_row, fill, measure, one_row, viewers
from rows import Row

from plainview.evidence.listing import Filters
from plainview.evidence.search import search
from plainview.evidence.search_terms import take_apart
from simulators.databases import copied_database, running_cluster

if TYPE_CHECKING:
    from collections.abc import Callable


CUES = 1_000_000
CUES_A_RECORDING = 60
WORDS_A_CUE = (4, 17)
VOCABULARY = 40_000
ROUNDS = 40
SYLLABLES = ("ba", "xo", "ti", "ne", "ru", "ka", "lo", "mi", "su", "de", "pa", "vi", "go", "ze", "fa", "hu")
# As long as the words of a cue with their times are.
TIMED_WORDS = "[" + ", ".join([f'[{n}200, {n}380, "example", 0.93]' for n in range(1, 11)]) + "]"
AT_A_TIME = 20_000

TRANSCRIPTS = """
INSERT INTO evidence_transcript (id, original_id, engine, model, version, settings, input_sha256, language, notice,
    made_at)
SELECT id, id, 'none', '', '1', '{}', sha256, 'en', 'machine', received_at FROM evidence_original
"""
COPY_CUES = "COPY evidence_cue (transcript_id, number, start_ms, end_ms, text, words) FROM STDIN"


def word(rank: int) -> str:
    """Return the made-up word that is the how manieth most frequent, counted from 0."""
    spelled, rest = "", rank + len(SYLLABLES)
    while rest:
        spelled += SYLLABLES[rest % len(SYLLABLES)]
        rest //= len(SYLLABLES)
    return spelled


def say(dsn: str, *, cues: int) -> None:
    """Put transcripts in place, word frequencies after Zipf: the second word half as frequent as the first."""
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("SET session_replication_role = replica")
        database.execute(TRANSCRIPTS)
    vocabulary = np.array([word(rank) for rank in range(VOCABULARY)], dtype=object)
    starts = range(0, cues, AT_A_TIME)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(copy_cues, dsn, vocabulary, at, min(cues, at + AT_A_TIME)) for at in starts]:
            done.result()


def copy_cues(dsn: str, vocabulary: np.ndarray, first: int, end: int) -> None:
    draw = np.random.default_rng(first)
    lengths = draw.integers(*WORDS_A_CUE, size=end - first, endpoint=True)
    ends = np.cumsum(lengths)
    ranks = np.exp(draw.random(int(ends[-1])) * np.log(VOCABULARY + 1)).astype(int) - 1
    words = vocabulary[ranks].tolist()
    lines = []
    for index, (length, stop) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True), start=first):
        recording, number = divmod(index, CUES_A_RECORDING)
        text = " ".join(words[stop - length : stop])
        lines.append(
            f"{recording + 1}\t{number + 1}\t{number * 5000}\t{number * 5000 + 4000}\t{text}\t{TIMED_WORDS}\n"
        )
    with psycopg.connect(dsn, autocommit=True) as database, database.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        with cursor.copy(COPY_CUES) as copy:
            copy.write("".join(lines))


def kinds(choose: random.Random) -> dict[str, Callable[[], str]]:
    """Return what people type, by kind; each call makes another."""

    def one(low: int, high: int) -> str:
        return word(choose.randint(low, high))

    return {
        "in nearly every recording": lambda: one(0, 2),
        "common word": lambda: one(8, 12),
        "middling word": lambda: one(90, 110),
        "uncommon word": lambda: one(900, 1100),
        "rare word": lambda: one(25_000, 39_000),
        "2 common words": lambda: f"{one(5, 12)} {one(5, 12)}",
        "common and middling": lambda: f"{one(8, 12)} {one(90, 110)}",
        "3 middling words": lambda: " ".join(one(90, 130) for _ in range(3)),
        "either of 2, not a third": lambda: f"{one(8, 12)} or {one(90, 110)} -{one(20, 40)}",
        "phrase of 2 common words": lambda: f'"{one(5, 12)} {one(5, 12)}"',
        "phrase of 2 middling words": lambda: f'"{one(90, 130)} {one(90, 130)}"',
        "phrase of 3 common words": lambda: f'"{one(5, 20)} {one(5, 20)} {one(5, 20)}"',
        "a wearer's name and a word": lambda: f"name{choose.randint(1, 499)} {one(8, 110)}",
    }


def search_rows() -> list[Row]:
    """Return one row a kind for whoever may search everything, and one row for each of the others."""
    rows, everything = [], Took()
    choose = random.Random(3)
    span = tenth_of_the_time()
    for who, viewer in viewers().items():
        asked = {what: lambda v=viewer, t=text: search(v, t()) for what, text in kinds(choose).items()}
        asked["a word in a tenth of the time"] = lambda v=viewer: search(
            v, word(choose.randint(8, 110)), span
        )
        of_viewer = Took()
        for what, ask in asked.items():
            took = measure(ask, ROUNDS)
            of_viewer.add(took)
            if who == "department":
                rows.append(answer_row(f"search: {what}", took))
        everything.add(of_viewer)
        rows.append(answer_row(f"search: every kind, {who}", of_viewer))
    return [answer_row("search: every kind and viewer", everything), *rows]


def tenth_of_the_time() -> Filters:
    first, last = one_row("SELECT min(shown_at), max(shown_at) FROM evidence_search_row")
    return Filters(from_at=first + (last - first) / 2, to_at=first + (last - first) * 6 / 10)


def size_row(cues: int, recordings: int, filled_s: float) -> Row:
    # The index says how much of a search is in memory; the cues are read 25 recordings at a time.
    names = ("evidence_search_row", "evidence_cue")
    sizes = [one_row("SELECT pg_total_relation_size(%s) / 1e6", [name])[0] for name in names]
    (index,) = one_row("SELECT pg_relation_size('evidence_search_words') / 1e6")
    return Row(
        "search: size",
        f"{sizes[0]:.0f} MB",
        detail=f"{cues:,} cues of {recordings:,} recordings; of these {index:.0f} MB are the index of words; the cues "
        f"themselves, with the times of their words, are {sizes[1]:.0f} MB; made in {filled_s:.0f} s",
    )


def parse_row() -> Row:
    asked = '"drop the gun" -knife or hands R-26-00004217-I'
    began = time.perf_counter()
    for _ in range(1000):
        take_apart(asked)
    return Row("search: taking apart what was typed", f"{1000 * (time.perf_counter() - began):.0f} us")


def run(*, cues: int = CUES) -> list[Row]:
    """Measure in a data directory of its own and return the figures."""
    recordings = -(-cues // CUES_A_RECORDING)
    with (
        tempfile.TemporaryDirectory() as data,
        running_cluster(Path(data) / "data") as postgres,
        copied_database(postgres) as name,
    ):
        began = time.perf_counter()
        fill(postgres, name, recordings, say=lambda dsn: say(dsn, cues=cues))
        filled_s = time.perf_counter() - began
        return [*search_rows(), size_row(cues, recordings, filled_s), parse_row()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure searching.")
    parser.add_argument("--cues", type=int, default=CUES)
    for row in run(cues=parser.parse_args().cues):
        met = {True: "reached", False: "NOT REACHED", None: ""}[row.is_met]
        print(f"{row.name:50} {row.measured:36} {row.target:18} {met}\n    {row.detail}")


if __name__ == "__main__":
    sys.exit(main())
