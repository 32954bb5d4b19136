"""Errors of tasks.

TasksError
├── UnknownKindError
├── UnknownAnswerError
├── NoSuchTaskError
└── TaskClosedError
"""


class TasksError(Exception):
    """A task cannot be opened or answered as asked."""


class UnknownKindError(TasksError):
    """No such kind of task."""

    def __init__(self, kind: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no kind of task {kind!r:.60}. Expected one of: {', '.join(known)}.")


class UnknownAnswerError(TasksError):
    """The question cannot be answered so."""

    def __init__(self, answer: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{answer!r:.60} answers no such question. Expected one of: {', '.join(known)}.")


class NoSuchTaskError(TasksError):
    """No such task, or it is not this viewer's to answer."""

    def __init__(self, key: int) -> None:
        self.key = key
        super().__init__(f"There is no task {key} for you. Go back to To do; somebody may have answered it.")


class TaskClosedError(TasksError):
    """Somebody answered it already."""

    def __init__(self, key: int, answer: str) -> None:
        self.key, self.answer = key, answer
        super().__init__(f"Task {key} was answered already ({answer}). Nothing was changed.")
