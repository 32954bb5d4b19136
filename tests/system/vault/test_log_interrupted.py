"""An append that is cut off anywhere: nothing published is wrong, nothing acknowledged is lost, a retry converges."""

import errno
import shutil
from dataclasses import dataclass

import pytest

from plainview.vault.audit import audit_log
from plainview.vault.log import TiledLog
from plainview.vault.log_errors import LogWriteError
from simulators.bad_logs import NeverSyncs, PublishesFirst, SignsFirst, SyncsFilesOnly
from simulators.custody_logs import KEY, ORIGIN, SIGN, LogUnderTest, leaves
from simulators.log_power_cut import Disk, PowerCutError

# Two levels grow, an unfinished tile becomes a full one, and the next begins.
BEFORE, AFTER = 250, 270

pytestmark = pytest.mark.slow


@dataclass
class Interrupted:
    """An append from 250 to 270 entries, to be cut off at each of its steps."""

    folder: object
    disk: Disk
    writer: type

    def steps(self):
        self.run(None)
        return self.disk.steps

    def run(self, stop_at):
        """Append anew on a copy of the log as it was before; return whether the append was acknowledged."""
        here = self.folder / "here"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(self.folder / "before", here)
        self.disk.synced_bytes, self.disk.synced_names = {}, {}
        self.disk.keep()
        self.disk.steps, self.disk.stop_at = 0, stop_at
        try:
            self.writer(here / "log", origin=ORIGIN).append(
                leaves(BEFORE, AFTER),
                sign=SIGN,
                key=KEY,
                checkpoints=LogUnderTest(here).checkpoints,
                start=BEFORE,
            )
        except (PowerCutError, LogWriteError):
            return False
        finally:
            self.disk.stop_at = None
        return True

    def after_kill(self):
        return LogUnderTest(self.folder / "here")

    def after_power_cut(self, seed):
        image = self.folder / "image"
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir()
        self.disk.after_power_cut(image / "log", seed=seed)
        # SQLite keeps its own promises; what it committed is there.
        shutil.copyfile(self.folder / "here/checkpoint-store.sqlite", image / "checkpoint-store.sqlite")
        return LogUnderTest(image)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    before = LogUnderTest(tmp_path / "before")
    before.folder.mkdir()
    before.append(leaves(0, BEFORE))
    (tmp_path / "here" / "log").mkdir(parents=True)
    disk = Disk(monkeypatch, tmp_path / "here" / "log")
    return lambda writer: Interrupted(tmp_path, disk, writer)


def problems(left, *, acknowledged, expected):
    """Say what is wrong with what an interruption left."""
    held = left.checkpoints.last(ORIGIN)[0]
    published = signed = audit_log(left.root, keys=[KEY], known=held)
    if signed.findings:
        return f"signed and not whole: {signed.findings[0]}"
    if left.log.published() != left.checkpoints.last(ORIGIN):
        published = audit_log(left.root, keys=[KEY])
    if published.findings:
        return f"published and not whole: {published.findings[0]}"
    if acknowledged and published.checkpoint.size != AFTER:
        return f"acknowledged and not published: {published.checkpoint.size}"
    left.append(leaves(BEFORE, AFTER), start=BEFORE)
    files = left.files()
    if any(files.get(path) != data for path, data in expected.items()):
        return "a retry did not converge"
    return None


@pytest.fixture
def expected(tmp_path):
    at_once = LogUnderTest(tmp_path / "expected")
    at_once.folder.mkdir()
    at_once.append(leaves(0, AFTER))
    return at_once.files()


def found_by_kills(trial, expected):
    for step in range(trial.steps() + 1):
        acknowledged = trial.run(step)
        problem = problems(trial.after_kill(), acknowledged=acknowledged, expected=expected)
        if problem:
            yield f"step {step}: {problem}"


def found_by_power_cuts(trial, expected, seeds):
    for step in range(trial.steps() + 1):
        acknowledged = trial.run(step)
        for seed in seeds:
            problem = problems(trial.after_power_cut(seed), acknowledged=acknowledged, expected=expected)
            if problem:
                yield f"step {step}: {problem}"


def test_a_kill_at_any_step_of_an_append_converges(interrupted, expected):
    assert list(found_by_kills(interrupted(TiledLog), expected)) == []


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_is_full_or_fails_at_any_step_of_an_append_converges(interrupted, expected, fault):
    trial = interrupted(TiledLog)
    steps = trial.steps()
    trial.disk.fault = fault
    refused = 0
    for step in range(steps):
        # A folder that cannot be made because it is there is no fault: pathlib says so itself.
        acknowledged = trial.run(step)
        refused += not acknowledged
        assert problems(trial.after_kill(), acknowledged=acknowledged, expected=expected) is None
    assert refused > steps // 2


@pytest.mark.parametrize("writer", [PublishesFirst, SignsFirst])
def test_a_writer_in_the_wrong_order_is_caught_by_kills(interrupted, expected, writer):
    assert next(found_by_kills(interrupted(writer), expected), None)


def test_a_power_cut_at_any_step_of_an_append_converges(interrupted, expected):
    assert list(found_by_power_cuts(interrupted(TiledLog), expected, seeds=(None, 1))) == []


@pytest.mark.parametrize("writer", [PublishesFirst, SignsFirst, NeverSyncs, SyncsFilesOnly])
def test_a_writer_that_does_not_sync_or_order_is_caught_by_power_cuts(interrupted, expected, writer):
    assert next(found_by_power_cuts(interrupted(writer), expected, seeds=(None,)), None)
