"""Errors of the mapping language: ExpressionError, and EvaluationError, which only some data brings out."""


class ExpressionError(Exception):
    """`message` in English, at `line` and `column` (from 1); `template` and `params` are for translation."""

    def __init__(self, template: str, line: int = 1, column: int = 1, **params: str | int) -> None:
        self.template = template
        self.params = params
        self.message = template % params if params else template
        self.line = line
        self.column = column
        super().__init__(f"Line {line}, column {column}: {self.message}")


class EvaluationError(ExpressionError):
    """The expression is well-formed, but cannot be worked out for this object."""


class Failure(Exception):
    """Raised by functions, which know the reason; the evaluator adds the place (EvaluationError)."""

    def __init__(self, template: str, **params: str | int) -> None:
        self.template = template
        self.params = params
        super().__init__(template)


def gettext_noop(text: str) -> str:
    """Marks a sentence for Django's makemessages without importing Django."""
    return text


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
