"""Errors of formats.

FormatError
"""

from __future__ import annotations


class FormatError(ValueError):
    """Bytes are not what this format's writer would have written.

    Attributes:
        what: the thing being read, such as "custody leaf".
        problem: what was expected and what was found.
    """

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}")
        self.what = what
        self.problem = problem
