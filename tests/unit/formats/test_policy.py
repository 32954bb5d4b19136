from __future__ import annotations

from dataclasses import replace

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.note import ED25519, ED25519_COSIGNATURE, VerifierKey, format_vkey
from plainview.formats.policy import MAX_LINES, PolicyGroup, TrustPolicy, format_policy, parse_policy
from vectors.make_format_examples import BOARD_KEY, COURT_KEY, LOG_KEY, example_policy

LOG = f"log {format_vkey(LOG_KEY)}\n"
BOARD = f"witness board {format_vkey(BOARD_KEY)}\n"
COURT = f"witness court {format_vkey(COURT_KEY)}\n"
NONE = "quorum none\n"


def cosigner(number: int) -> VerifierKey:
    return VerifierKey(f"w{number}.example", ED25519_COSIGNATURE, number.to_bytes(32, "big"))


def test_a_policy_reads_back_as_it_was_written() -> None:
    policy = example_policy()
    assert parse_policy(format_policy(policy)) == policy


def test_a_policy_that_asks_for_no_cosigner_reads_back() -> None:
    policy = TrustPolicy((LOG_KEY,))
    assert format_policy(policy) == LOG + NONE
    assert parse_policy(LOG + NONE) == policy


def test_one_cosigner_may_be_the_quorum() -> None:
    assert parse_policy(LOG + BOARD + "quorum board\n").quorum == "board"


def test_groups_may_hold_groups_defined_above_them() -> None:
    text = LOG + BOARD + COURT + "group a 1 board\ngroup b 2 a court\nquorum b\n"
    assert parse_policy(text).groups == (PolicyGroup("a", 1, ("board",)), PolicyGroup("b", 2, ("a", "court")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        NONE,
        LOG,
        BOARD + NONE,
        LOG + NONE.rstrip("\n"),
        LOG + NONE + NONE,
        LOG + NONE + "\n",
        LOG + "quorum \n",
        LOG + "quorum nobody\n",
        LOG + "quorum board\n" + BOARD,
        "# comment\n" + LOG + NONE,
        " " + LOG + NONE,
        LOG.replace(" ", "  ") + NONE,
        LOG.replace(" ", "\t") + NONE,
        LOG.replace("\n", "\r\n") + NONE,
        LOG.rstrip("\n") + " https://example.org/\n" + NONE,
        BOARD + LOG + NONE,
        LOG + "unknown line\n" + NONE,
    ],
)
def test_a_policy_not_in_the_one_spelling_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_policy(text)


@pytest.mark.parametrize("name", ["", "none", "a\tb", "a\u00a0b", "a\u202eb", "a+b", "\ud800"])
def test_a_name_that_could_be_misread_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        parse_policy(LOG + f"witness {name} {format_vkey(BOARD_KEY)}\n" + NONE)
    with pytest.raises(FormatError):
        parse_policy(LOG + BOARD + f"group {name} 1 board\n" + NONE)


def test_a_name_defined_twice_is_refused() -> None:
    with pytest.raises(FormatError, match="the name 'board' is taken"):
        parse_policy(LOG + BOARD + COURT.replace("witness court", "witness board") + NONE)
    with pytest.raises(FormatError, match="the name 'board' is taken"):
        parse_policy(LOG + BOARD + "group board 1 board\n" + NONE)


def test_one_signer_under_two_names_cannot_meet_a_quorum_of_two() -> None:
    double = replace(BOARD_KEY, name="other.example")
    text = LOG + BOARD + f"witness other {format_vkey(double)}\ngroup g 2 board other\nquorum g\n"
    with pytest.raises(FormatError, match="the same public key is listed twice"):
        parse_policy(text)


def test_one_cosigner_in_two_groups_cannot_meet_both() -> None:
    text = LOG + BOARD + "group a 1 board\ngroup b 1 board\ngroup g 2 a b\nquorum g\n"
    with pytest.raises(FormatError, match="already in a group"):
        parse_policy(text)


def test_the_same_log_key_twice_is_refused() -> None:
    with pytest.raises(FormatError, match="the same public key is listed twice"):
        parse_policy(LOG + f"log {format_vkey(replace(LOG_KEY, name='example.org/custody/2'))}\n" + NONE)


@pytest.mark.parametrize(
    "group",
    ["group g 0 board", "group g 2 board", "group g 1 board board", "group g 1 nobody", "group g 01 board"],
)
def test_a_group_that_cannot_be_met_or_is_met_by_nobody_is_refused(group: str) -> None:
    with pytest.raises(FormatError):
        parse_policy(f"{LOG}{BOARD}{group}\nquorum g\n")


def test_a_group_of_itself_is_refused() -> None:
    with pytest.raises(FormatError, match="unknown"):
        parse_policy(LOG + BOARD + "group g 1 g\nquorum g\n")


def test_a_key_for_the_other_purpose_is_refused() -> None:
    with pytest.raises(FormatError, match="expected a key of algorithm 0x01, got 0x04"):
        parse_policy(f"log {format_vkey(BOARD_KEY)}\n" + NONE)
    with pytest.raises(FormatError, match="expected a key of algorithm 0x04, got 0x01"):
        parse_policy(LOG + f"witness w {format_vkey(LOG_KEY)}\n" + NONE)


def test_more_lines_than_anybody_needs_are_refused() -> None:
    witnesses = tuple((f"w{number}", cosigner(number)) for number in range(MAX_LINES + 1))
    full = TrustPolicy((LOG_KEY,), witnesses[:MAX_LINES])
    assert parse_policy(format_policy(full)) == full
    with pytest.raises(FormatError, match="at most 64 keys of a kind, got 65"):
        format_policy(TrustPolicy((LOG_KEY,), witnesses))
    logs = tuple(VerifierKey(f"l{n}.example", ED25519, n.to_bytes(32, "big")) for n in range(MAX_LINES + 1))
    with pytest.raises(FormatError, match="at most 64 keys of a kind, got 65"):
        format_policy(TrustPolicy(logs))


def test_groups_do_not_nest_without_end() -> None:
    groups = [PolicyGroup("g0", 1, ("board",))]
    groups += [PolicyGroup(f"g{number}", 1, (f"g{number - 1}",)) for number in range(1, MAX_LINES + 1)]
    with pytest.raises(FormatError, match="at most 64 groups, got 65"):
        format_policy(TrustPolicy((LOG_KEY,), (("board", BOARD_KEY),), tuple(groups), "g64"))


def test_a_policy_of_more_than_100000_characters_is_refused() -> None:
    with pytest.raises(FormatError, match="at most 100000 characters"):
        parse_policy(LOG + "#" * 100_000 + "\n" + NONE)


def test_a_policy_that_would_not_be_read_is_not_written() -> None:
    with pytest.raises(FormatError):
        format_policy(TrustPolicy((LOG_KEY,), quorum="nobody"))
