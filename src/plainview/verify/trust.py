"""Whose word counts in a check: the keys that were given, and the keys the package itself names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Sequence

from plainview.formats.note import ED25519, VerifierKey, format_vkey, parse_note
from plainview.formats.policy import TrustPolicy
from plainview.verify.errors import SignerUnknownError, VerificationError
from plainview.verify.note import CosignerCount, count_cosigners, open_note
from plainview.verify.receipt import verify_leaf
from plainview.verify.verdicts import OK, SIGNER_UNKNOWN, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.checkpoint import Checkpoint
    from plainview.formats.proof import LogProof


@dataclass(frozen=True)
class Trust:
    """Whose word counts.

    Attributes:
        given: keys from outside: given or pinned; they make a file OK.
        claimed: keys the package names itself; they show that things fit together, and no more. None where it names
            none that can be read.
        no_claim: why not.
    """

    given: TrustPolicy
    claimed: TrustPolicy | None
    no_claim: str


@dataclass(frozen=True)
class Standing:
    """What a chain of proof amounts to: OK, SIGNER UNKNOWN or UNPROVEN, and why."""

    verdict: str
    reason: str = ""
    checkpoint: Checkpoint | None = None

    @property
    def fits(self) -> bool:
        """Whether a signature was reached, known or not."""
        return self.verdict != UNPROVEN


def given_policy(keys: Sequence[VerifierKey] | None, policy: TrustPolicy | None) -> TrustPolicy:
    """Return a trust policy of all keys that came from outside the package.

    Args:
        keys: of logs, and of co-signers, in any order.
        policy: co-signers and the quorum to ask for besides.
    """
    keys = tuple(keys or ())
    logs = tuple(key for key in keys if key.algorithm == ED25519)
    cosigners = tuple((f"given-{at}", key) for at, key in enumerate(keys) if key.algorithm != ED25519)
    if policy is None:
        return TrustPolicy(logs=logs, witnesses=cosigners)
    return TrustPolicy(
        logs=(*policy.logs, *logs),
        witnesses=(*policy.witnesses, *cosigners),
        groups=policy.groups,
        quorum=policy.quorum,
    )


def judge_leaf(entry: bytes, seq: int, proof: LogProof, trust: Trust) -> Standing:
    """Say what the proof of a leaf amounts to.

    Args:
        entry: the leaf, byte for byte.
        seq: the index it bears.
        proof: its inclusion proof.
        trust: whose word counts.
    """
    try:
        return Standing(OK, checkpoint=verify_leaf(entry, seq, proof, trust.given))
    except SignerUnknownError:
        pass
    except VerificationError as error:
        return Standing(UNPROVEN, str(error))
    if trust.claimed is None:
        return Standing(UNPROVEN, trust.no_claim)
    try:
        # The package's own quorum is reported as a count; it is not for the package to set the bar.
        claimed = TrustPolicy(logs=trust.claimed.logs)
        return Standing(SIGNER_UNKNOWN, checkpoint=verify_leaf(entry, seq, proof, claimed))
    except VerificationError as error:
        return Standing(UNPROVEN, str(error))


@lru_cache(maxsize=16)
def find_signers(note: str, trust: Trust) -> tuple[str, ...]:
    """Return the keys of logs, as vkeys, that signed a note; a key nobody gave in full as name+id.

    Args:
        note: a signed note whose proof fits.
        trust: the keys that can be printed in full.
    """
    for policy in (trust.given, trust.claimed):
        try:
            _, signed = open_note(note, policy.logs if policy else ())
        except VerificationError:
            continue
        return tuple(format_vkey(key) for key in signed)
    parsed = parse_note(note)
    origin = parsed.text.split("\n", 1)[0]
    return tuple(f"{s.name}+{s.key_id.hex()}" for s in parsed.signatures if s.name == origin)


def count_known_cosigners(note: str, trust: Trust) -> CosignerCount:
    """Count co-signers: those whose keys were given, else those the package names."""
    known = trust.given if trust.given.witnesses or trust.claimed is None else trust.claimed
    return count_cosigners(parse_note(note), known)


def find_warnings(verdict: str, checkpoint: Checkpoint, trust: Trust) -> tuple[str, ...]:
    """Return what a reader must be told of the keys.

    Args:
        verdict: on the proof.
        checkpoint: that the proof led to.
        trust: whose word counts.
    """
    if verdict != SIGNER_UNKNOWN or checkpoint.origin not in {key.name for key in trust.given.logs}:
        return ()
    return (
        (
            f"The key given for {checkpoint.origin} is not the key that signed. Either the wrong key was given, or "
            "somebody else made this and used the log's name."
        ),
    )
