"""What `suggest` answers with, as plain data. Imports the writing of rules and advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rulenet.rules.writing.compose import rule_lines
from rulenet.workbench.suggest.advice import Advice

CONFIRMED = 0.05  # p-value on the held-out texts below which a suggestion is confirmed


@dataclass(frozen=True)
class Suggestion:
    """A rule worth adding, with what it does on held-out texts.

    Attributes
    ----------
    rule
        Fields of the rule, as `rulenet.rules.writing.append` takes them.
    kind
        ``"words"``, ``"growth"`` (words like those of rule `like`), ``"pattern"``, ``"pair"`` or ``"exception"``.
    support
        Texts it fires on, of all that were given.
    fires, right
        Held-out texts that it fires on, and those of its label among them.
    expected
        How many of these the rules or model before it took to be of the label (sum of probabilities).
    p_value
        How likely so many right hits were if it said nothing new.
    fixed, broken
        Held-out texts whose answer turns right, and wrong, with this rule alone added.
    log_loss, log_loss_error
        By how much the summed log-loss of the held-out texts falls, and the standard error of that.
    nearest, overlap
        The existing rule that fires on most of the same texts, and the Jaccard overlap; None if no rule shares any.
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
        """Whether it holds up on the held-out texts: more right than expected, beyond chance at 5 %; mostly right; a lower log-loss."""
        return self.p_value < CONFIRMED and 2 * self.right > self.fires and self.log_loss > 0

    @property
    def yaml(self) -> str:
        """The rule, ready to paste under `rules:`."""
        return "\n".join(rule_lines([self.rule]))


@dataclass(frozen=True)
class Suggestions:
    """What `suggest` found.

    Attributes
    ----------
    new
        Rules worth adding, in the order in which they were chosen: each gains most after those before it.
    advice
        Present rules to drop, tighten or merge.
    n_mined, n_chosen, n_held_out
        Texts that rules were mined on, chosen on and judged on.
    n_tried, n_believed
        Candidates that were tried, and those that passed the test for false discoveries.
    accuracy_before, accuracy_after
        On the held-out texts, without and with all new rules.
    accuracy_error
        Standard error of the difference of the two.
    notes
        What to know before believing the figures.
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
        """Plain data for JSON."""
        data = asdict(self)
        for row, suggestion in zip(data["new"], self.new, strict=True):
            row.update(yaml=suggestion.yaml, is_confirmed=suggestion.is_confirmed)
        return data
