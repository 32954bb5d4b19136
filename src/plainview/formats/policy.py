"""Trust policies: whose signatures count, kept by whoever checks.

Example:
    log example.org/custody/1+db2b4488+AX...
    witness board board.example+6ab1c2d3+BH...
    witness court court.example+90817263+BJ...
    group outside 2 board court
    quorum outside

Source: c2sp.org/tlog-policy (draft of July 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from plainview.formats.checkpoint import parse_decimal
from plainview.formats.errors import FormatError
from plainview.formats.note import (
    ED25519,
    ED25519_COSIGNATURE,
    KEY_NAME,
    VerifierKey,
    format_vkey,
    parse_vkey,
)

POLICY_LIMIT_BYTES = 100_000
# Of each kind of line. It also bounds how deep groups nest, whoever wrote the policy.
MAX_LINES = 64


@dataclass(frozen=True)
class PolicyGroup:
    """Co-signers of whom `threshold` must have signed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class TrustPolicy:
    """Whose signatures count.

    Attributes:
        logs: keys of the logs that may sign checkpoints; one per epoch.
        witnesses: (short name, key) of co-signers.
        groups: named groups of co-signers or of other groups.
        quorum: the group or co-signer that must have signed, or None when no co-signature is asked for.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[tuple[str, VerifierKey], ...] = ()
    groups: tuple[PolicyGroup, ...] = ()
    quorum: str | None = None


def format_policy(policy: TrustPolicy) -> str:
    """Write a trust policy.

    Raises:
        FormatError: one that parse_policy would refuse.

    Source: c2sp.org/tlog-policy.
    """
    text = _spell_policy(policy)
    parse_policy(text)
    return text


def _spell_policy(policy: TrustPolicy) -> str:
    lines = [f"log {format_vkey(key)}" for key in policy.logs]
    lines += [f"witness {name} {format_vkey(key)}" for name, key in policy.witnesses]
    lines += [f"group {group.name} {group.threshold} {' '.join(group.members)}" for group in policy.groups]
    lines.append(f"quorum {policy.quorum or 'none'}")
    return "\n".join(lines) + "\n"


def parse_policy(text: str) -> TrustPolicy:
    """Read a trust policy.

    Raises:
        FormatError: no log, too many, an unknown line, a key twice, a name defined twice or not at all, a member of
            two groups, a threshold that cannot be met, no quorum line, or not in the order and spelling
            format_policy writes.

    Source: c2sp.org/tlog-policy.
    """
    what = "trust policy"
    if len(text) > POLICY_LIMIT_BYTES:
        raise FormatError(what, f"expected at most {POLICY_LIMIT_BYTES} characters, got {len(text)}")
    logs: list[VerifierKey] = []
    witnesses: dict[str, VerifierKey] = {}
    groups: dict[str, PolicyGroup] = {}
    quorum: str | None = None
    for line in text.split("\n"):
        words = line.split(" ")
        if words[0] == "log" and len(words) == 2:
            logs.append(_policy_key(words[1], ED25519))
        elif words[0] == "witness" and len(words) == 3:
            _check_new_name(words[1], witnesses, groups)
            witnesses[words[1]] = _policy_key(words[2], ED25519_COSIGNATURE)
        elif words[0] == "group" and len(words) >= 4:
            _check_new_name(words[1], witnesses, groups)
            groups[words[1]] = _parse_group(words, witnesses, groups)
        elif words[0] == "quorum" and len(words) == 2:
            quorum = words[1]
    _check_keys(logs)
    _check_keys(list(witnesses.values()))
    policy = TrustPolicy(
        tuple(logs), tuple(witnesses.items()), tuple(groups.values()), None if quorum == "none" else quorum
    )
    if len(groups) > MAX_LINES:
        raise FormatError(what, f"expected at most {MAX_LINES} groups, got {len(groups)}")
    if not logs or quorum is None or (policy.quorum and quorum not in witnesses and quorum not in groups):
        raise FormatError(
            what, "expected at least one log line and a quorum line that names a group, a witness or none"
        )
    if _spell_policy(policy) != text:
        raise FormatError(
            what, "expected log, witness, group and quorum lines in this order, one space between words"
        )
    return policy


def _policy_key(text: str, algorithm: int) -> VerifierKey:
    key = parse_vkey(text)
    if key.algorithm != algorithm:
        raise FormatError(
            "trust policy",
            f"{key.name}: expected a key of algorithm {algorithm:#04x}, got {key.algorithm:#04x}",
        )
    return key


def _check_keys(keys: list[VerifierKey]) -> None:
    # One signer under two names could meet a quorum of two alone.
    if len(keys) > MAX_LINES:
        raise FormatError("trust policy", f"expected at most {MAX_LINES} keys of a kind, got {len(keys)}")
    if len({key.public_key for key in keys}) != len(keys):
        raise FormatError("trust policy", "the same public key is listed twice, perhaps under two names")


def _check_new_name(name: str, witnesses: dict[str, VerifierKey], groups: dict[str, PolicyGroup]) -> None:
    if KEY_NAME.match(name) is None:
        raise FormatError("trust policy", f"expected a name without spaces or plus signs, got {name[:60]!a}")
    if name in witnesses or name in groups or name == "none":
        raise FormatError("trust policy", f"the name {name!r:.60} is taken")


def _parse_group(
    words: list[str], witnesses: dict[str, VerifierKey], groups: dict[str, PolicyGroup]
) -> PolicyGroup:
    threshold, members = parse_decimal(words[2], what="trust policy"), tuple(words[3:])
    unknown = [name for name in members if name not in witnesses and name not in groups]
    # A co-signer in two groups would count twice towards a group of those groups.
    grouped = [name for group in groups.values() for name in group.members] + list(members)
    if unknown or len(set(grouped)) != len(grouped) or not 1 <= threshold <= len(members):
        raise FormatError(
            "trust policy",
            f"group {words[1]!r:.60}: a member is unknown or already in a group, or the threshold cannot be met",
        )
    return PolicyGroup(name=words[1], threshold=threshold, members=members)
