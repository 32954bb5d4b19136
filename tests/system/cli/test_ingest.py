"""plainview ingest as a person runs it: what becomes of everything that can be offered."""

import json
import os
import pty
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from plainview.service.lock import hold_data_lock
from plainview.vault.keys import open_key_store
from plainview.vault.local import LocalStore
from plainview.vault.reader import open_object
from simulators.media_files import box, shared_media
from simulators.offered_files import OFFERED, footage, make_all
from simulators.program import PROGRAM, environment, ingest, leaves, outcomes, plainview, start

DOCS = Path(__file__).parents[3] / "docs" / "ingest.md"
KEYS = {"path", "status", "recording", "sha256", "reason", "text"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """One of everything that can be offered."""
    folder = tmp_path_factory.mktemp("card")
    make_all(folder)
    return folder


@pytest.fixture(scope="module")
def first_run(everything, data):
    found, done = ingest(everything, data=data)
    assert done.stderr == ""
    assert done.returncode == 1
    return {Path(outcome["path"]).name: outcome for outcome in found}


@pytest.fixture(scope="module")
def second_run(everything, data, first_run):
    """The same again, after the database was stopped and started."""
    return {Path(outcome["path"]).name: outcome for outcome in ingest(everything, data=data)[0]}


# --- every row of the table


@pytest.mark.parametrize("offered", OFFERED, ids=lambda offered: offered.name)
def test_everything_offered_gets_its_status_and_reason(offered, first_run):
    outcome = first_run[offered.name]
    assert set(outcome) == KEYS
    assert (outcome["status"], outcome["reason"]) == (offered.status, offered.reason)
    assert (outcome["recording"] is not None) == (offered.status == "received")
    assert (outcome["sha256"] is None) == (offered.status == "refused")


@pytest.mark.parametrize("offered", OFFERED, ids=lambda offered: offered.name)
def test_every_reason_is_a_sentence(offered, first_run):
    text = first_run[offered.name]["text"]
    if offered.status != "received":
        assert re.fullmatch(r"[A-Z].*[.]", text)


@pytest.mark.parametrize("offered", OFFERED, ids=lambda offered: offered.name)
def test_the_same_offered_again_is_a_duplicate_unless_it_was_refused(offered, first_run, second_run):
    outcome = second_run[offered.name]
    expected = "refused" if offered.status == "refused" else "duplicate"
    assert outcome["status"] == expected
    assert outcome["recording"] == first_run[offered.name]["recording"]


def test_the_table_in_the_docs_is_what_happens():
    rows = re.findall(
        r"^\| ([^|]+) \| (received|quarantined|refused) \| ?`?([a-z_]*)`? \|", DOCS.read_text(), re.MULTILINE
    )
    told = {(row.strip(), status, reason or None) for row, status, reason in rows}
    happens = {(offered.row, offered.status, offered.reason) for offered in OFFERED}
    assert happens <= told
    # What the table tells beyond the files above is tried one by one below.
    assert {reason for _, _, reason in told - happens} == {
        "missing", "unreadable", "no_files", "own_data", "changed", "disk_full", "read_back_differs", "not_examined",
    }  # fmt: skip


def test_what_is_quarantined_is_kept_byte_for_byte(everything, data, first_run, second_run):
    by_sha256 = {
        leaf["facts"].get("sha256"): leaf for leaf in leaves(data) if leaf["act"] == "file.quarantined"
    }
    store, keys = LocalStore(data / "objects"), open_key_store(data / "keys")
    kept = [offered for offered in OFFERED if offered.status == "quarantined"]
    assert kept
    for offered in kept:
        leaf = by_sha256[first_run[offered.name]["sha256"]]
        assert leaf["why"] == offered.reason
        with open_object(store, keys, leaf["facts"]["object"]) as original:
            assert original.read() == (everything / offered.name).read_bytes()


def test_each_time_something_is_offered_again_is_a_leaf(data, first_run, second_run):
    again = [leaf["facts"]["sha256"] for leaf in leaves(data) if leaf["act"] == "recording.offered_again"]
    for offered in OFFERED:
        if offered.status != "refused":
            assert again.count(first_run[offered.name]["sha256"]) == 1


def test_what_is_cut_off_but_plays_says_so(first_run):
    assert "cut off" in first_run["cut.mp4"]["text"]


# --- duplicates


def test_the_same_bytes_twice_in_one_run_under_two_names_are_one_recording(data, tmp_path):
    for name in ("b.mp4", "a.mp4"):
        (tmp_path / name).write_bytes(footage("twice"))
    (first, second), done = ingest(tmp_path / "b.mp4", tmp_path / "a.mp4", data=data)
    assert (first["status"], second["status"]) == ("received", "duplicate")
    assert first["recording"] == second["recording"]
    assert done.returncode == 0


def test_two_at_once_make_one_recording(data, tmp_path):
    file = tmp_path / "both.mp4"
    file.write_bytes(footage("both"))
    running = [start("ingest", "--json", file, data=data) for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in running]
    found = [outcome for out, _ in ended for outcome in outcomes(out)]
    assert sorted(outcome["status"] for outcome in found) == ["duplicate", "received"]
    assert len({outcome["recording"] for outcome in found}) == 1
    assert "".join(err for _, err in ended).count("waiting up to 60 s for ") == 1


def test_who_waits_too_long_is_told_for_whom(data, tmp_path):
    (tmp_path / "a.mp4").write_bytes(footage("waits"))
    with hold_data_lock(data, command="plainview serve"):
        found, done = ingest(tmp_path / "a.mp4", data=data, env={"PLAINVIEW_WAIT_S": "0"})
    assert (found, done.returncode) == ([], 2)
    assert f"in use by 'plainview serve' (process {os.getpid()})" in done.stderr


# --- names


NAMES = [
    b"red \x1b[31m alert\x07.mp4",
    b"two\nlines\r.mp4",
    "right\u202eto left 4pm.mp4".encode(),
    b"x" * 251 + b".mp4",
    b"no text \xff\xfe.mp4",
    b"-rf",
    b"--json",
    b"quotes ' \" ` $(touch owned) <b>.mp4",
    "\U0001f694 \u00e9\u0301.mp4".encode(),
    b"..mp4",
    b"%s {0} [bold red]x \\u0041.mp4",
]


@pytest.fixture(scope="module")
def named(data, tmp_path_factory):
    """Footage under every hostile name, offered with --json and again for people."""
    folder = tmp_path_factory.mktemp("names")
    for number, name in enumerate(NAMES):
        (folder / os.fsdecode(name)).write_bytes(footage(f"name {number}"))
    before = set(folder.iterdir())
    as_json = ingest(folder, data=data)
    for_people = plainview("ingest", folder, data=data)
    assert set(folder.iterdir()) == before
    return as_json[0], as_json[1], for_people


def test_a_hostile_name_is_received_and_comes_back_as_it_was(named):
    found, done, _ = named
    assert done.returncode == 0
    assert [outcome["status"] for outcome in found] == ["received"] * len(NAMES)
    assert sorted(os.fsencode(Path(outcome["path"]).name) for outcome in found) == sorted(NAMES)


def test_json_stays_one_plain_line_for_each_file(named):
    _, done, _ = named
    assert len(done.stdout.splitlines()) == len(NAMES)
    assert done.stdout.isascii()
    assert all(line.isprintable() for line in done.stdout.splitlines())


def test_a_hostile_name_cannot_move_the_cursor(named):
    _, _, for_people = named
    assert len(for_people.stdout.splitlines()) == 2 * len(NAMES) + 1
    assert all(line.isprintable() for line in for_people.stdout.splitlines())


def test_no_name_stands_in_the_log_or_on_the_disk_in_clear(named, data):
    text = json.dumps(leaves(data))
    names_on_disk = "\n".join(str(path) for path in (data / "objects").rglob("*"))
    for mark in ("alert", "lines", "to left", "xxxx", "owned", "bold"):
        assert mark not in text
        assert mark not in names_on_disk


def test_a_path_with_dots_is_only_where_to_read(data, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "up.mp4").write_bytes(footage("dots"))
    (outcome,), _ = ingest(tmp_path / "deep" / ".." / "up.mp4", data=data)
    assert outcome["status"] == "received"
    assert outcome["path"].endswith("/deep/../up.mp4")


def test_a_name_too_long_for_any_disk_is_refused(data, tmp_path):
    (outcome,), done = ingest(tmp_path / ("x" * 300), data=data)
    assert (outcome["status"], outcome["reason"], done.returncode) == ("refused", "unreadable", 1)


# --- refused


def test_what_is_not_there_or_holds_nothing_is_refused_and_the_rest_goes_on(data, tmp_path):
    (tmp_path / "void" / "deeper").mkdir(parents=True)
    (tmp_path / "a.mp4").write_bytes(footage("goes on"))
    found, done = ingest(tmp_path / "gone.mp4", tmp_path / "void", "/dev/null", tmp_path / "a.mp4", data=data)
    assert [outcome["reason"] for outcome in found] == ["missing", "no_files", "not_a_file", None]
    assert found[-1]["status"] == "received"
    assert done.returncode == 1


def test_the_data_directory_is_never_taken_in(data):
    key = data / "keys" / "master.key"
    found, done = ingest(data.parent, data, key, data=data)
    assert [outcome["reason"] for outcome in found] == ["own_data"] * 3
    assert done.returncode == 1


def test_an_empty_folder_beside_footage_is_no_problem(data, tmp_path):
    (tmp_path / "MISC").mkdir()
    (tmp_path / "a.mp4").write_bytes(footage("beside"))
    (outcome,), done = ingest(tmp_path, data=data)
    assert (outcome["status"], done.returncode) == ("received", 0)


class _Changing:
    """Does something to a file again and again until the context ends."""

    def __init__(self, change):
        self._change, self._stop = change, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(0.0005):
            self._change()

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def _append(path):
    with path.open("ab") as file:
        file.write(b"\0" * 1024)


def _cut(path):
    os.truncate(path, max(1 << 20, path.stat().st_size - 1024))


@pytest.mark.parametrize("change", [_append, _cut])
def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_of_it_kept(change, data, tmp_path):
    file = tmp_path / "busy.mp4"
    file.write_bytes(footage("busy") + box(b"free", os.urandom(24 << 20)))
    before = _objects(data)
    with _Changing(lambda: change(file)):
        (outcome,), done = ingest(file, data=data)
    assert (outcome["status"], outcome["reason"], done.returncode) == ("refused", "changed", 1)
    assert _objects(data) == before
    (outcome,), _ = ingest(file, data=data)
    assert outcome["status"] in {"received", "quarantined"}


def test_a_file_that_vanishes_before_its_turn_is_refused(data, tmp_path):
    first, second = tmp_path / "1.mp4", tmp_path / "2.mp4"
    first.write_bytes(footage("first") + box(b"free", os.urandom(96 << 20)))
    second.write_bytes(footage("second"))
    before = _objects(data)
    running = start("ingest", "--json", tmp_path, data=data)
    _wait_until(lambda: _objects(data) != before, running)
    second.unlink()
    out, _ = running.communicate(timeout=60)
    assert [(o["status"], o["reason"]) for o in outcomes(out)] == [("received", None), ("refused", "missing")]


def test_a_card_that_fails_while_read_is_refused(data, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("NO STRACE: a failing card was not tried")
    file = tmp_path / "failing.mp4"
    file.write_bytes(footage("failing"))
    faults = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        str(file),
        "-e",
        "trace=read",
        "-e",
        "inject=read:error=EIO",
    ]
    done = subprocess.run(
        [*faults, *PROGRAM, "ingest", "--json", str(file), "--data", str(data)],
        capture_output=True, text=True, timeout=120, check=False, env=environment(),
    )  # fmt: skip
    (outcome,) = outcomes(done.stdout)
    assert (outcome["status"], outcome["reason"]) == ("refused", "unreadable")
    (outcome,), _ = ingest(file, data=data)
    assert outcome["status"] == "received"


def test_what_may_not_be_read_is_refused(data, tmp_path):
    for name in ("mine.mp4", "theirs.mp4", "closed/in.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(footage(name))
    (tmp_path / "theirs.mp4").chmod(0)
    (tmp_path / "closed").chmod(0)
    done = subprocess.run(
        [*_without_roots_rights(), *PROGRAM, "ingest", "--json", str(tmp_path), str(tmp_path / "closed" / "in.mp4"),
         "--data", str(data)],
        capture_output=True, text=True, timeout=120, check=False, env=environment(),
    )  # fmt: skip
    (tmp_path / "closed").chmod(0o700)
    assert [(Path(o["path"]).name, o["status"], o["reason"]) for o in outcomes(done.stdout)] == [
        ("mine.mp4", "received", None),
        ("theirs.mp4", "refused", "unreadable"),
        ("closed", "refused", "unreadable"),
        ("in.mp4", "refused", "unreadable"),
    ]
    assert done.returncode == 1


def _without_roots_rights():
    """Root may read everything; this takes that right away, and nothing else."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("ROOT WITHOUT SETPRIV: files that may not be read were not tried")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


# --- what is printed


def test_people_are_told_name_status_identifier_and_sum(data, tmp_path):
    (tmp_path / "a.mp4").write_bytes(footage("told"))
    done = plainview("ingest", tmp_path / "a.mp4", tmp_path / "b.mp4", data=data)
    first, second, third, fourth, total = done.stdout.splitlines()
    assert re.fullmatch(rf"received     R-\d\d-\d{{8}}-\w  {re.escape(str(tmp_path))}/a.mp4", first)
    assert second.strip() == "0 min 1.0 s; video h264, audio aac"
    assert third == f"refused      -                {tmp_path}/b.mp4"
    assert fourth.strip() == "There is no such file."
    assert total == "1 received, 0 duplicate, 0 quarantined, 1 refused"
    assert done.stderr == ""


def test_a_terminal_shows_how_far_it_is_and_how_long_it_takes(data, tmp_path):
    (tmp_path / "a.mp4").write_bytes(footage("bar") + box(b"free", os.urandom(48 << 20)))
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*PROGRAM, "ingest", str(tmp_path), "--data", str(data)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=environment(TERM="xterm", COLUMNS="120"),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # what a terminal says when its last user is gone
    os.close(ours)
    out, _ = running.communicate(timeout=60)
    assert b"Receiving 1 of 1" in shown
    assert re.search(rb"\d+\.\d/\d+\.\d MB", shown)
    assert b"received" in out
    assert b"\x1b" not in out


def test_a_reader_who_goes_away_ends_it_without_a_traceback(data, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.mp4").write_bytes(footage(f"goes away {number}"))
    running = start("ingest", "--json", tmp_path, data=data)
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(timeout=60) == 141
    assert "Traceback" not in said
    assert "went away" in said


# --- real footage


def test_real_footage_goes_in_comes_out_the_same_and_checks(data, tmp_path):
    folder = shared_media("README.md").parent
    found, _ = ingest(folder, data=data)
    received = [outcome for outcome in found if outcome["status"] == "received"]
    assert len(received) >= 15
    assert {Path(o["path"]).name for o in found if o["status"] != "received"} == {"README.md"}
    identifiers = [outcome["recording"] for outcome in received]
    made = plainview("export", *identifiers, "-o", tmp_path / "package", "--json", data=data)
    key = json.loads(made.stdout)["key"]
    checked = subprocess.run(
        [*PROGRAM, "verify", str(tmp_path / "package"), "--key", key],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    for outcome in received:
        (copy,) = (tmp_path / "package" / "data" / "original").glob(f"*{outcome['recording']}*")
        assert copy.read_bytes() == Path(outcome["path"]).read_bytes()


def _objects(data):
    return sorted(path for path in (data / "objects").rglob("*") if path.is_file())


def _wait_until(is_so, process):
    for _ in range(60_000):
        if is_so() or process.poll() is not None:
            break
        time.sleep(0.001)
    assert is_so()
