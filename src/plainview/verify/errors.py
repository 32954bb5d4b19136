"""Errors of verify.

VerificationError
+-- SignatureError
+-- SignerUnknownError
+-- UnreadableError
+-- NotAPackageError
"""

from __future__ import annotations


class VerificationError(Exception):
    """Something does not prove what it should.

    Attributes:
        what: the thing being checked, such as "inclusion proof".
        problem: what was expected and what was found.
    """

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}")
        self.what = what
        self.problem = problem


class SignatureError(VerificationError):
    """A signature, or the key it should fit, is not one."""


class SignerUnknownError(VerificationError):
    """None of the given keys signed; nothing shows that what was signed is false."""


class UnreadableError(VerificationError):
    """A file's bytes could not be had: no permission, too large for what it is, or it changed while being read."""


class NotAPackageError(VerificationError):
    """There is nothing here that could be checked."""
