"""The results of `suggest`, as plain data. Imports the writing of rules and advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rulenet.rules.writing.compose import rule_lines
from rulenet.workbench.suggest.advice import Advice

CONFIRMED = 0.05  # p-value on the held-out texts below which a suggestion is confirmed


@dataclass(frozen=True)
class Suggestion:
    """A rule worth adding, with its results on held-out texts.

    Attributes
    ----------
    rule
        Fields of the rule, as `rulenet.rules.writing.append` expects them.
    kind
        ``"words"``, ``"growth"`` (words like those of rule `like`), ``"pattern"``, ``"pair"`` or ``"exception"``.
    support
        Number of texts it fires on, out of all given texts.
    fires, right
        Number of held-out texts it fires on, and how many of these have its label.
    expected
        Number of these that the present rules or model expect to have the label (sum of probabilities).
    p_value
        Probability of that many correct hits if the rule added nothing to the present predictions.
    fixed, broken
        Number of held-out texts whose prediction becomes correct, and wrong, if only this rule is added.
    log_loss, log_loss_error
        Decrease of the summed log-loss of the held-out texts, and its standard error.
    nearest, overlap
        The present rule that fires on most of the same texts, and the Jaccard overlap; None if no rule shares a text.
    """

    rule: dict[str, Any]
    kind: str
    like: str | None
    support: int
    fires: int
    right: int
    expected: float
    p_value: float
    fixed: int
    broken: int
    log_loss: float
    log_loss_error: float
    nearest: str | None
    overlap: float

    @property
    def is_confirmed(self) -> bool:
        """Whether the held-out texts confirm it: significantly more hits than expected (5 %), mostly right, a lower log-loss."""
        return self.p_value < CONFIRMED and 2 * self.right > self.fires and self.log_loss > 0

    @property
    def yaml(self) -> str:
        """The rule, ready to paste under `rules:`."""
        return "\n".join(rule_lines([self.rule]))


@dataclass(frozen=True)
class Suggestions:
    """The result of a search for rules.

    Attributes
    ----------
    new
        Rules worth adding, in the order of selection: each gains most after those before it.
    advice
        Present rules to drop, tighten or merge.
    n_mined, n_chosen, n_held_out
        Number of texts that rules were mined on, selected on and evaluated on.
    n_tried, n_believed
        Number of candidates that were tried, and that passed the test for false discoveries.
    accuracy_before, accuracy_after
        Accuracy on the held-out texts, without and with all new rules.
    accuracy_error
        Standard error of their difference.
    notes
        What to know before trusting the results.
    """

    new: list[Suggestion]
    advice: list[Advice]
    n_mined: int
    n_chosen: int
    n_held_out: int
    n_tried: int
    n_believed: int
    accuracy_before: float
    accuracy_after: float
    accuracy_error: float
    notes: list[str] = field(default_factory=list)

    @property
    def yaml(self) -> str:
        """All new rules, ready to paste under `rules:`."""
        return "\n\n".join(suggestion.yaml for suggestion in self.new)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = asdict(self)
        for row, suggestion in zip(data["new"], self.new, strict=True):
            row.update(yaml=suggestion.yaml, is_confirmed=suggestion.is_confirmed)
        return data
