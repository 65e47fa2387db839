"""Everything rulenet raises on purpose. Imports nothing from the package.

Each class also inherits from the standard class that a caller would expect, so `except ValueError` works. `NotFittedError` is in
estimator.py, because importing scikit-learn is slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class RuleNetError(Exception):
    """Base class of every error that rulenet raises on purpose."""

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the message; a line break within one of them comes from a name or text that it quotes."""
        return [str(self)]


class InputError(RuleNetError, ValueError):
    """Texts, labels or parameters that the estimator cannot use."""


class LabelError(InputError):
    """Labels that do not fit the rules or the model, or fewer than two classes."""


class ParameterError(InputError):
    """A constructor argument that cannot be used."""


class DataError(RuleNetError, ValueError):
    """A data file, folder or hub data set that cannot be read."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        super().__init__("\n".join(lines))

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the message."""
        return self._lines


class ModelFileError(RuleNetError, ValueError):
    """A saved model that is damaged, unsafe or written by a newer version."""


class EncoderError(RuleNetError, OSError):
    """An encoder that cannot be loaded."""


class TrainingError(RuleNetError, RuntimeError):
    """Training cannot continue."""


class ExportError(RuleNetError, RuntimeError):
    """A faster form of a model cannot be made, or costs more accuracy than allowed."""


class MissingExtraError(RuleNetError, ImportError):
    """An optional package is not installed; the message says how to install it."""


class Code(NamedTuple):
    """The stable name of one kind of mistake; all of them are listed in `rules/file/codes.py`."""

    number: str  # never given to another mistake
    name: str
    severity: Literal["error", "warning", "info"]
    meaning: str

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Edit(NamedTuple):
    """How to repair a fault, at the place that its path leads to; `rules/lint/repair.py` turns it into a change of the text.

    Attributes
    ----------
    verb
        ``"rename"`` the nearest field · ``"write"`` this YAML · ``"quote"`` this text, in quotes if it needs them · ``"split"`` at the
        commas · ``"merge"`` equal items of the list · ``"add"`` this field · ``"characters"`` of
        another keyboard in the line · ``"line"`` this instead of the whole line · ``"breaks"`` of all lines.
    new
        What to write.
    """

    verb: Literal["rename", "write", "quote", "split", "merge", "add", "characters", "line", "breaks"]
    new: str = ""


@dataclass(frozen=True)
class Fault:
    """One mistake in a rule file: what, where, and what to do about it."""

    code: Code
    message: str
    line: int = 0  # 0: the whole file
    rule: str | None = None
    file: str | None = None  # the included file that the fault is in; None: the file that was read
    path: tuple[str | int, ...] = field(default=(), compare=False)  # from the top of the file
    edit: Edit | None = field(default=None, compare=False)

    @property
    def severity(self) -> str:
        """``"error"``, ``"warning"`` or ``"info"`` (a hint)."""
        return self.code.severity

    @property
    def text(self) -> str:
        """The rule, the message and the code, without the place."""
        rule = f"rule {self.rule!r}: " if self.rule is not None else ""
        return f"{rule}{self.message} [{self.code}]"

    def place(self, source: str) -> str:
        """Return the file and the line, or only the file if the fault has no line.

        Examples
        --------
        >>> code = Code("RN012", "unknown-field", "error", "A field that does not exist.")
        >>> fault = Fault(code, "unknown field 'wieght'", 7, "win")
        >>> fault.place("spam.yaml"), fault.text
        ('spam.yaml:7', "rule 'win': unknown field 'wieght' [RN012 unknown-field]")
        """
        name = self.file or source
        return f"{name}:{self.line}" if self.line else name

    def __str__(self) -> str:
        return f"{self.line}: {self.text}" if self.line else self.text


MAX_FAULTS = 50  # of a file that a message shows


class RuleFileError(RuleNetError, ValueError):
    """A rule file that has faults.

    Attributes
    ----------
    source
        Name of the file, or ``<string>``.
    faults
        Every fault of the file and of the files it includes, ordered by file and line.
    """

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = sorted(faults, key=lambda f: (f.file or "", f.line))
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> Sequence[str]:
        """The number of faults, and a line for each of the first; what the command line can repair is said."""
        n = len(self.faults)
        lines = [f"{fault.place(self.source)}: {fault.text}" for fault in self.faults[:MAX_FAULTS]]
        if n > MAX_FAULTS:
            lines.append(f"… and {n - MAX_FAULTS:,} more")
        count = "1 fault" if n == 1 else f"{n:,} faults"  # errors may not import base.wording
        fixable = sum(fault.edit is not None for fault in self.faults)
        advice = f" ({fixable:,} fixable with rulenet rules lint --fix)" if fixable else ""
        return [f"{count} in {self.source}{advice}", *lines]

    def __reduce__(self) -> tuple[type[RuleFileError], tuple[str, list[Fault]]]:
        # By default an exception is rebuilt from `args`, which fails for ours in joblib workers.
        return type(self), (self.source, self.faults)
