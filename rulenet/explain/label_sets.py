"""Why a model gave a text its labels where it may give several: for each label, bias + Σ terms + neural against its threshold.

Imports result, draw and base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rulenet.base.drawing import Bar, Block, Cell, Headline, HeatText, Mark, MarkedText, Prose, Sheet
from rulenet.base.wording import counted
from rulenet.explain.result import SHOWN_TERMS, Explanation, Label, Term, Token, listed, words

SHOWN_LABELS = 4  # with a table each


@dataclass(frozen=True)
class TokenShares:
    """What ψ's say is made of, word by word: Σ attributions + bias, within the gap; as `tokens` of `Explanation`."""

    tokens: list[Token]
    bias: float
    gap: float


@dataclass(frozen=True)
class SetExplanation(Explanation):
    """The labels of a text and everything that added up to them.

    As in `Explanation`, but `label` is only the label that is furthest above its threshold, or nearest below.

    Attributes
    ----------
    thresholds
        For each label, the logit above which it is given.
    words
        For each label that is shown, what ψ's addend of its logit is made of; None unless asked for. `tokens` are those of `label`, and
        `token_labels` names it alone, unless two labels were asked for.
    labels
        The answer: all labels whose logit is above their threshold, clearest first.
    """

    thresholds: dict[Label, float] = field(default_factory=dict)
    words: dict[Label, TokenShares] | None = None

    @classmethod
    def of(cls, found: Explanation, values: Sequence[float]) -> SetExplanation:
        """The same with thresholds, in the order of its logits."""
        thresholds = dict(zip(found.logits, values or [0.0] * len(found.logits), strict=True))
        return cls(**{part.name: getattr(found, part.name) for part in fields(found)}, thresholds=thresholds)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The answer, clearest first."""
        return tuple(label for label in self._ranked if self.above(label) > 0)

    @property
    def shown(self) -> tuple[Label, ...]:
        """The labels that are explained one by one: the clearest ones of the answer, else the one that comes nearest."""
        return self.labels[:SHOWN_LABELS] or (self.label,)

    @property
    def margin(self) -> float:
        """Distance of the logit that is nearest to its threshold: how far the answer is from another."""
        return min(abs(self.above(label)) for label in self.logits)

    def above(self, label: Label) -> float:
        """How far the logit of a label is above its threshold; below, if negative."""
        return self.logits[label] - self.thresholds[label]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back: labels are strings, and spans are lists."""
        return {**super().to_dict(), "labels": list(map(str, self.labels))}

    def sentence(self) -> str:
        """What decided, in one sentence for each label of the answer, and which label came nearest to it."""
        rest = [label for label in self._ranked if label not in self.labels]
        said = [self._because(label) for label in self.labels[:SHOWN_LABELS]] or ["No label is above its threshold."]
        return " ".join(said + ([f"{rest[0]} was next."] if rest else []))

    def blocks(self) -> list[Block]:
        """Return the text with its rule hits marked, and for each label of the answer the addends of its logit."""
        name = ", ".join(map(str, self.labels)) or "no label"
        note = f"({self.path}), {self.margin:.2f} from another answer"
        found: list[Block] = [
            Headline(" · ".join(f"{self.proba[label]:.2f}" for label in self.labels), label=name, note=note),
            Prose(self.sentence()),
            MarkedText(self.text, self._marks()),
        ]
        for label in self.shown:
            found.append(Sheet(str(label), ("", "term", "words", "logit"), self._addends(label), breaks="words"))
            if self.words and self.words[label].tokens:
                found.append(self._heat(label, self.words[label]))
        if self.words is None and self.tokens:
            heat = [Mark(token.start, token.end, token.attribution) for token in self.tokens]
            found.append(HeatText(self._token_line(), self.text, heat))
        if left := self.labels[SHOWN_LABELS:]:
            found.append(Prose(f"Not shown: {counted(len(left), 'more label')}."))
        return found

    @property
    def _ranked(self) -> list[Label]:
        return sorted(self.logits, key=self.above, reverse=True)

    def _strongest(self, label: Label) -> list[Term]:
        return sorted(self.terms, key=lambda term: -abs(term.contributions[label]))

    def _because(self, label: Label) -> str:
        reasons = self._decisive(lambda values: values[label])
        if not reasons:
            return f"{label}, as nothing in the text says otherwise."
        return f"{label}, because of {listed(self._reasons(reasons))}."

    def _addends(self, label: Label) -> list[tuple[Cell, ...]]:
        """A row for each addend of a label's logit, strongest first, and what it is measured against."""
        terms = self._strongest(label)
        shown, rest = terms[:SHOWN_TERMS], terms[SHOWN_TERMS:]
        rows: list[tuple[Cell, ...]] = [("", "bias", "", Bar(self.bias[label]))]
        rows += [(t.kind, t.name, words(self.text, t.spans), Bar(t.contributions[label])) for t in shown]
        if rest:
            total = sum(term.contributions[label] for term in rest)
            rows.append(("", counted(len(rest), "weaker term"), "", Bar(total)))
        if self.path == "hybrid":
            rows.append(("ψ", "transformer", "", Bar(self.neural[label])))
        rows.append(("=", "logit", "", Bar(self.logits[label])))
        return [*rows, ("", "threshold", "", Bar(self.thresholds[label]))]

    def _heat(self, label: Label, share: TokenShares) -> HeatText:
        line = f"what the transformer reads for {label}: {self.neural[label]:+.2f}"
        line += f", of which {share.bias:+.2f} before a word is read; error {share.gap:.0e}"
        return HeatText(line, self.text, [Mark(token.start, token.end, token.attribution) for token in share.tokens])

    def _lead(self, values: dict[Label, float]) -> float:
        """Of some addends, what speaks for the clearest label."""
        return values[self.label]
