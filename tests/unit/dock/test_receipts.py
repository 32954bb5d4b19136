"""A receipt covers a file, or nothing is erased."""

from dataclasses import replace

import pytest

from plainview.dock.errors import NotCoveredError
from plainview.dock.receipts import COVERING_ACTS, check_receipt
from plainview.dock.receipts_file import format_receipts, parse_receipts
from plainview.dock.rules import DockFile, FileState
from plainview.formats.errors import FormatError
from simulators.package_builder import ORIGIN, Signer, TinyLog

SENT, SIZE = "ab" * 32, 1234
KEY = Signer(ORIGIN, 1).key
FACTS = {"sha256": "cd" * 32, "sent_sha256": SENT, "sent_bytes": SIZE, "size_bytes": SIZE - 100}


def receipt(act="recording.received", facts=FACTS, *, log=None, outcome="ok"):
    log = log or TinyLog()
    log.append("log.started", log.origin, {})
    return log.receipt(log.append(act, "R-26-00004217-I", facts, outcome=outcome))


def check(data, *, sha256=SENT, is_sealed=True, size_bytes=SIZE, key=KEY):
    return check_receipt(
        data, sha256=sha256, size_bytes=size_bytes, is_sealed=is_sealed, log_keys=[key] if key else []
    )


@pytest.mark.parametrize("act", sorted(COVERING_ACTS))
def test_a_receipt_of_each_act_that_takes_something_in_covers(act):
    assert check(receipt(act)).leaf.act == act


def test_a_file_of_another_maker_is_covered_by_the_digest_of_the_original():
    facts = {"sha256": SENT, "size_bytes": SIZE}
    check(receipt(facts=facts), is_sealed=False)
    with pytest.raises(NotCoveredError, match="another file"):
        check(receipt(facts=facts), is_sealed=True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "proves nothing"),
        (receipt()[:-1], "proves nothing"),
        (receipt("recording.probed"), "another act"),
        (receipt(outcome="error"), "another act"),
        (receipt(facts=FACTS | {"sent_sha256": "ac" * 32}), "another file"),
        (receipt(facts={}), "another file"),
        (receipt(facts=FACTS | {"sent_bytes": SIZE + 1}), "another file"),
        (receipt(log=TinyLog(Signer("elsewhere/1", 1))), "does not know"),
        (receipt(log=TinyLog(Signer(ORIGIN, 2))), "does not know"),
        (receipt().replace(b"12:00:01.000Z", b"12:00:01.001Z"), "proves nothing"),
    ],
)
def test_a_receipt_that_is_not_of_this_file_and_log_covers_nothing(data, said):
    with pytest.raises(NotCoveredError, match=said):
        check(data)


def test_without_a_pinned_key_nothing_is_covered():
    with pytest.raises(NotCoveredError, match="does not know"):
        check(receipt(), key=None)


def test_the_digest_of_the_plain_bytes_does_not_cover_the_sealed_file():
    with pytest.raises(NotCoveredError, match="another file"):
        check(receipt(), sha256="cd" * 32)


# --- the file of receipts


def states():
    made = []
    for kind in ("footage", "journal"):
        file = DockFile("000001-aaaaaaaa", kind, kind, SIZE, 0, 1, is_critical=False)
        made.append(FileState(file, "checked", receipt=receipt(facts=FACTS | {"n": len(kind)})))
    return made


def test_receipts_come_back_as_they_were_written():
    footage, journal = states()
    both = parse_receipts(format_receipts([footage, journal]))
    assert both == {"footage": footage.receipt, "journal": journal.receipt}
    assert parse_receipts(format_receipts([journal])) == {"journal": journal.receipt}


@pytest.mark.parametrize("data", [b"", b"{}", b'{"footage":[],"journal":null,"v":1}'])
def test_another_file_in_place_of_receipts_is_refused(data):
    with pytest.raises(FormatError):
        parse_receipts(data)


def test_what_has_no_receipt_is_never_written_as_if_it_had():
    with pytest.raises(AssertionError):
        format_receipts([replace(states()[0], receipt=None)])
