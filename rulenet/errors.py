"""Everything rulenet raises on purpose. Imports nothing from the package.

RuleNetError
├── InputError (ValueError)                 texts, labels or parameters passed to the estimator
│   ├── LabelError                          labels and rules disagree, or a single class
│   └── ParameterError                      a constructor argument that cannot be used
├── DataError (ValueError)                  a data file, folder or hub data set
├── RuleFileError (ValueError)              a rule file; carries every fault as `.faults`
├── ModelFileError (ValueError)             a saved model that is damaged, unsafe or from another version
├── EncoderError (OSError)                  an encoder that cannot be loaded
├── TrainingError (RuntimeError)            training cannot go on
├── ExportError (RuntimeError)              a faster form of a model that cannot be made, or costs too much accuracy
├── NotFittedError (scikit-learn's of that name) lives in estimator.py: importing scikit-learn is slow
└── MissingExtraError (ImportError)         an optional part is not installed

Each class also inherits the standard class a caller would expect, so `except ValueError` keeps working.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class RuleNetError(Exception):
    """Base of every error that rulenet raises on purpose."""


class InputError(RuleNetError, ValueError):
    """Texts, labels or parameters that the estimator cannot use."""


class LabelError(InputError):
    """Labels and rules disagree, or there is nothing to tell apart."""


class ParameterError(InputError):
    """A constructor argument that cannot be used."""


class DataError(RuleNetError, ValueError):
    """A data file, folder or hub data set that cannot be read."""


class ModelFileError(RuleNetError, ValueError):
    """A saved model that is damaged, unsafe or written by a newer version."""


class EncoderError(RuleNetError, OSError):
    """An encoder that cannot be loaded."""


class TrainingError(RuleNetError, RuntimeError):
    """Training cannot go on."""


class ExportError(RuleNetError, RuntimeError):
    """A faster form of a model cannot be made, or costs more accuracy than was allowed."""


class MissingExtraError(RuleNetError, ImportError):
    """An optional part is not installed; the message names the pip line."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a rule file: what, where, and what to do."""

    message: str
    line: int = 0  # 0: the file as a whole
    rule: str | None = None
    severity: str = "error"  # "error" | "warning" | "info": good to know
    file: str | None = None  # where that is not the file the fault is reported for: an included one

    @property
    def text(self) -> str:
        """Rule and message, without the place."""
        return f"rule {self.rule!r}: {self.message}" if self.rule is not None else self.message

    def place(self, source: str) -> str:
        """File and line; the file alone where no line is to blame.

        Examples
        --------
        >>> Fault("no such file").place("spam.yaml"), Fault("unknown field", 7).place("spam.yaml")
        ('spam.yaml', 'spam.yaml:7')
        """
        name = self.file or source
        return f"{name}:{self.line}" if self.line else name

    def __str__(self) -> str:
        return f"{self.line}: {self.text}" if self.line else self.text


class RuleFileError(RuleNetError, ValueError):
    """A rule file with faults.

    Attributes
    ----------
    source
        Name of the file, or ``<string>``.
    faults
        Every fault of the file and those it includes, in order of file and line.
    """

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = sorted(faults, key=lambda f: (f.file or "", f.line))
        lines = [f"{fault.place(source)}: {fault.text}" for fault in self.faults]
        head = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
        super().__init__(f"{head} in {source}\n" + "\n".join(lines))

    def __reduce__(self) -> tuple[type[RuleFileError], tuple[str, list[Fault]]]:
        # Exceptions pickle by `args`; joblib workers need ours to survive the trip.
        return type(self), (self.source, self.faults)
