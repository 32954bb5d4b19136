"""plainview import as a person runs it: looked at first, then taken in, then taken in again."""

import json
from pathlib import Path

from plainview.formats.folder_pattern import parse_folder_pattern
from simulators.media_files import fragmented_mp4
from simulators.program import leaves, outcomes, plainview

PATTERN = Path(__file__).parents[3] / "docs" / "patterns" / "csv-beside-footage.json"
HEADER = "File name,Device serial,Officer ID,Start time,End time,Activation,Category\n"
NAMES = ("BC-1_20260314_235207_01.mp4", "BC-1_20260314_235207_02.mp4")


def test_a_folder_is_shown_then_imported_and_importing_it_again_makes_nothing_new(data, tmp_path):
    card = tmp_path / "card"
    card.mkdir()
    footage = fragmented_mp4()
    # The same picture twice, in bytes that differ.
    for name, rest in zip(NAMES, (b"", (8).to_bytes(4, "big") + b"free"), strict=True):
        (card / name).write_bytes(footage + rest)
    row = f"{NAMES[0]},BC-1,,2026-03-14 23:52:07,,light_bar,Traffic\n"
    (card / "index.csv").write_text(HEADER + row + row.replace("BC-1", "BC-7"))
    (data / "imports").mkdir(exist_ok=True)
    (data / "imports" / "ours.json").write_bytes(PATTERN.read_bytes())
    before = sorted((data / "log").rglob("*"))
    env = {"PLAINVIEW_ZONE": "America/Los_Angeles"}

    shown = plainview("import", card, "--pattern", "ours", "--preview", data=data, env=env)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"new         {NAMES[0]}  (2 parts)" in shown.stdout
    assert "start 14 Mar 2026 23:52:07.0 PDT (UTC-7), by index.csv, line 2" in shown.stdout
    assert "Rows whose footage is not there: 1" in shown.stdout
    assert sorted((data / "log").rglob("*")) == before

    made = plainview("import", card, "--pattern", PATTERN, "--json", data=data, env=env)
    (imported,) = outcomes(made.stdout)
    assert (made.returncode, made.stderr, imported["status"]) == (0, "", "received")
    assert [part["status"] for part in imported["parts"]] == ["received", "received"]
    received = [leaf for leaf in leaves(data) if leaf["act"] == "recording.received"]
    assert [leaf["facts"].get("part") for leaf in received] == [None, 2]

    again = plainview("import", card, "--pattern", "ours", data=data, env=env)
    assert again.returncode == 0
    assert again.stdout.splitlines()[0] == f"here        {imported['recording']:<17}{NAMES[0]}"
    assert "0 received, 1 here" in again.stdout
    assert parse_folder_pattern(PATTERN.read_bytes()).make == json.loads(PATTERN.read_text())["make"]


def test_a_pattern_that_cannot_be_read_is_refused_with_what_is_wrong(data, tmp_path):
    (tmp_path / "bad.json").write_text('{"kind": "plainview-folder-pattern", "v": 1, "nme": "x"}')
    done = plainview("import", tmp_path, "--pattern", tmp_path / "bad.json", data=data)
    assert done.returncode == 2
    assert "unknown keys ['nme']" in done.stderr
    done = plainview("import", tmp_path, "--pattern", "nowhere", data=data)
    assert (done.returncode, "nowhere.json: It cannot be read: No such file" in done.stderr) == (2, True)
