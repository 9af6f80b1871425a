"""What can go wrong. Every exception carries a message, a hint and the exit code of the command."""

from __future__ import annotations


class BoutonError(Exception):
    """Any error of bouton."""

    def __init__(self, message: str, hint: str | None = None, exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[type[BoutonError], tuple[str, str | None, int]]:
        return type(self), (self.message, self.hint, self.exit_code)


class RecipeError(BoutonError, ValueError):
    """A recipe, an override or a combination that makes no sense."""


class ShapeError(BoutonError, ValueError):
    """Arrays or layers that do not fit."""


class DataError(BoutonError, ValueError):
    """Values that cannot be used: wrong type, NaN, labels out of range, damaged files."""


class DataMissingError(BoutonError, FileNotFoundError):
    """A data set that is not on this machine."""


class CheckpointError(BoutonError, ValueError):
    """A checkpoint or state that is damaged or belongs to another network."""


class DivergedError(BoutonError, ArithmeticError):
    """Numbers that left their range."""
