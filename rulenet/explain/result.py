"""Why a model decided as it did, as data: bias + Σ terms + neural = logit, for every label.

Imports draw, base and errors. A result lists what is to be drawn in `blocks`; `terms` makes explanations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rulenet.base.drawing import Bar, Block, Cell, Headline, HeatText, Mark, MarkedText, Prose, Run, Sheet
from rulenet.base.wording import counted
from rulenet.draw.shown import Shown
from rulenet.errors import LabelError

SAID = 3  # reasons in the first sentence
SHOWN_TERMS = 8
LEGEND = Prose(
    (
        Run("Marked words speak ", "note"),
        Run("for the answer", "for"),
        Run(", ", "note"),
        Run("against it", "against"),
        Run(" or ", "note"),
        Run("for a third label", "neither"),
        Run("; the stronger the colour, the more they count. ", "note"),
        Run("The numbers of a table are logits and add up to its last row.", "note"),
    )
)
"""What the colours of explanations mean."""

Label = str | int | bool | float
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Term:
    """One column's share of the logits.

    Attributes
    ----------
    kind
        ``"rule"``, ``"tfidf"`` or ``"pos"``.
    name
        Rule id, term or tags.
    value
        Value of the column: 1 for a rule, the TF-IDF weight of a term.
    weights
        Learned weight for each label, in logits per unit of `value`; shared by the terms of one call, so do not change it.
    contributions
        ``weights × value`` for each label, in logits.
    spans
        Where it is in the text as given, as (start, end).
    shared
        What of the contributions it has from terms with similar word vectors, for each label; None where nothing is shared.
    like
        Terms that this comes from: labelled texts have them, and they speak for the same of the two leading labels.
    """

    kind: str
    name: str
    value: float
    weights: dict[Label, float]
    contributions: dict[Label, float]
    spans: list[Span]
    shared: dict[Label, float] | None = None
    like: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Token:
    """One word's share of what the transformer adds."""

    text: str  # the word as written in the text
    start: int  # its place: ``text == explanation.text[start:end]``
    end: int
    attribution: float  # its share, in logits, for one label against the other


@dataclass(frozen=True, slots=True)
class Difference:
    """One column's share of the distance between two labels; kind, name, value and spans as in `Term`."""

    kind: str
    name: str
    value: float
    difference: float  # contribution to the label minus that to the other, in logits
    spans: list[Span]


@dataclass(frozen=True)
class Contrast(Shown):
    """Why one label rather than another: bias + Σ terms + neural = total.

    Attributes
    ----------
    text
        The text as given.
    label, other
        The two labels.
    terms
        Every active column, strongest first.
    bias, neural, total
        Logit of the label minus that of the other: before any term, what the transformer adds, and the sum of everything.
    tokens
        What `neural` is made of, if the explanation has it for these two labels.
    """

    text: str
    label: Label
    other: Label
    terms: list[Difference]
    bias: float
    neural: float
    total: float
    tokens: list[Token] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        return {**plain(asdict(self)), "label": str(self.label), "other": str(self.other)}

    def blocks(self) -> list[Block]:
        """Return the addends, strongest first, with one row for all weak ones."""
        shown, rest = self.terms[:SHOWN_TERMS], self.terms[SHOWN_TERMS:]
        rows: list[tuple[Cell, ...]] = [("", "bias", "", Bar(self.bias))]
        rows += [(t.kind, t.name, words(self.text, t.spans), Bar(t.difference)) for t in shown]
        if rest:
            rows.append(("", counted(len(rest), "weaker term"), "", Bar(sum(t.difference for t in rest))))
        if self.neural:
            rows.append(("ψ", "transformer", "", Bar(self.neural)))
        rows.append(("=", "total", "", Bar(self.total)))
        found: list[Block] = [
            Headline(f"{self.label} rather than {self.other}: {self.total:+.2f}"),
            Sheet("", ("", "term", "words", "difference"), rows, has_total=True),
        ]
        if self.tokens:
            strongest = sorted(self.tokens, key=lambda token: -abs(token.attribution))[:SHOWN_TERMS]
            shares = [(token.text, Bar(token.attribution)) for token in strongest]
            found.append(Sheet("what the transformer reads", ("word", "share"), shares))
        return found


@dataclass(frozen=True)
class Explanation(Shown):
    """A prediction and everything that added up to it.

    Attributes
    ----------
    text
        The text as given.
    label
        The predicted label.
    proba
        Probability of each label.
    path
        ``"rules"`` when ψ was not used, else ``"hybrid"``.
    logits, bias, neural
        For each label, in logits. ``neural`` is the share of the transformer.
    terms
        Every active column, strongest for the predicted label against the runner-up first.
    tokens
        What ``neural[first] - neural[second]`` is made of, word by word; empty where ψ was not used, None unless asked for.
        The part of a long text that ψ does not read has no tokens.
    token_labels
        The label that the tokens speak for and the one they speak against: label and runner-up unless others were asked for.
    token_bias
        ψ of the first label minus that of the second before any word is read, in logits (for a text of [MASK] pieces).
    token_gap
        Difference between Σ attributions + `token_bias` and ψ's share, in logits: the error of a numerical integral.
    """

    text: str
    label: Label
    proba: dict[Label, float]
    path: str
    logits: dict[Label, float]
    bias: dict[Label, float]
    terms: list[Term]
    neural: dict[Label, float]
    tokens: list[Token] | None = None
    token_labels: tuple[Label, ...] | None = None
    token_bias: float | None = None
    token_gap: float | None = None

    @property
    def runner_up(self) -> Label:
        """The label with the second largest logit."""
        return max((label for label in self.logits if label != self.label), key=self.logits.__getitem__)

    @property
    def margin(self) -> float:
        """Top logit minus the runner-up's."""
        return self.logits[self.label] - self.logits[self.runner_up]

    def contrast(self, label: Label | None = None, other: Label | None = None) -> Contrast:
        """Why one label rather than another.

        Parameters
        ----------
        label, other
            The two labels; by default the predicted one and its strongest rival.

        Raises
        ------
        LabelError
            If one is not a label of the model, or both are the same.
        """
        label = self.label if label is None else label
        if other is None:
            other = self.runner_up if label == self.label else self.label
        check_pair(label, other, list(self.logits))

        def between(values: dict[Label, float]) -> float:
            return values[label] - values[other]

        terms = [Difference(t.kind, t.name, t.value, between(t.contributions), t.spans) for t in self.terms]
        terms.sort(key=lambda term: -abs(term.difference))
        sign = 1 if self.token_labels == (label, other) else -1 if self.token_labels == (other, label) else 0
        tokens = None
        if self.tokens is not None and sign:
            tokens = [replace(token, attribution=sign * token.attribution) for token in self.tokens]
        bias, neural, total = map(between, (self.bias, self.neural, self.logits))
        return Contrast(self.text, label, other, terms, bias, neural, total, tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back: labels are strings, and spans are lists."""
        data: dict[str, Any] = plain(asdict(self))
        pair = None if self.token_labels is None else list(map(str, self.token_labels))
        return {**data, "label": str(self.label), "token_labels": pair}

    def blocks(self) -> list[Block]:
        """Return the text with its rule hits marked, the addends of its logits, and the words that the transformer reads."""
        names = ("", "term", "words", str(self.label), str(self.runner_up), "difference")
        note = f"({self.path}) over {self.runner_up} by {self.margin:.2f}"
        found: list[Block] = [
            Headline(f"{self.proba[self.label]:.2f}", label=str(self.label), note=note),
            Prose(self.sentence()),
            MarkedText(self.text, self._marks()),
            Sheet("", names, self._rows(), breaks="words", has_total=True),
        ]
        if origins := self._origins():
            found.append(
                Sheet("learned from words like them", ("term", "difference", "of which shared", "with"), origins)
            )
        if self.tokens:
            heat = [Mark(token.start, token.end, token.attribution) for token in self.tokens]
            found.append(HeatText(self._token_line(), self.text, heat))
        return found

    def sentence(self) -> str:
        """What decided, in one sentence: the strongest reasons for the answer, and what came next."""
        strongest = self._decisive(self._lead)
        if not strongest:
            return f"{self.label}, as nothing in the text says otherwise; {self.runner_up} was next."
        return f"{self.label}, because of {listed(self._reasons(strongest))}; {self.runner_up} was next."

    def _decisive(self, lead_of: Callable[[dict[Label, float]], float]) -> list[Term | None]:
        """The strongest reasons for an answer, None for the transformer; `lead_of` some addends is what they say for it."""
        leads: list[tuple[float, Term | None]] = [(lead_of(term.contributions), term) for term in self.terms]
        if self.path == "hybrid":
            leads.append((lead_of(self.neural), None))
        strongest, named = list[Term | None](), set[int]()
        for lead, term in sorted(leads, key=lambda pair: -pair[0]):
            if lead <= 0.005 or len(strongest) == SAID:
                break
            places = {place for span in (term.spans if term else ()) for place in range(*span)}
            if (
                term is None or term.kind == "rule" or named.isdisjoint(places)
            ):  # "late parcel" adds nothing to "parcel"
                strongest.append(term)
                named |= places
        return strongest

    def _reasons(self, strongest: Sequence[Term | None]) -> list[str]:
        """Rules, words and the transformer as nouns, all words together."""
        found = [t for t in strongest if t is not None and t.kind != "rule"]
        quoted = [f"“{words(self.text, term.spans) or term.name}”" for term in found]
        reasons = []
        for term in strongest:
            if term is None:
                reasons.append("how the transformer reads it")
            elif term.kind == "rule":
                where = words(self.text, term.spans)
                reasons.append(f"the rule {term.name}" + (f" (“{where}”)" if where else ""))
            elif term is found[0]:
                reasons.append(("the word " if len(found) == 1 else "the words ") + listed(quoted))
        return reasons

    def _marks(self) -> list[Mark]:
        """Hits of rules, then words, each the more visible the more it counts; last the hits that say nothing of these two labels."""
        leads = [(term, self._lead(term.contributions)) for term in self.terms]
        most = max((abs(lead) for _, lead in leads), default=0.0) or 1.0
        rules = [(t, lead, max(0.2, abs(lead) / most) if lead else 1.0) for t, lead in leads if t.kind == "rule"]
        found = [
            (t, lead, 0.9 * abs(lead) / most) for t, lead in leads if t.kind == "tfidf" and abs(lead) > 0.05 * most
        ]
        found.sort(key=lambda one: -one[2])
        speaking, silent = ([one for one in rules if bool(one[1]) is speaks] for speaks in (True, False))
        return [Mark(*span, lead, t.name, s) for t, lead, s in speaking + found + silent for span in t.spans]

    def _shown(self) -> list[Term]:
        """Terms with a row of their own."""
        pair = self.label, self.runner_up
        # A rule for a third label, or whose learned weight is 0, says nothing about these two.
        rules = [t for t in self.terms if t.kind == "rule" and any(t.contributions[label] for label in pair)]
        others = [term for term in self.terms if term.kind != "rule"]
        return rules[:SHOWN_TERMS] + others[: max(3, SHOWN_TERMS - len(rules))]

    def _rows(self) -> list[tuple[Cell, ...]]:
        pair, shown = (self.label, self.runner_up), self._shown()
        rest = [term for term in self.terms if not any(term is s for s in shown)]
        rows = [self._row("", "bias", self.bias)]
        rows += [self._row(t.kind, t.name, t.contributions, words(self.text, t.spans)) for t in shown]
        if rest:
            sums = {label: sum(t.contributions[label] for t in rest) for label in pair}
            rows.append(self._row("", counted(len(rest), "weaker term"), sums))
        if self.path == "hybrid":
            rows.append(self._row("ψ", "transformer", self.neural))
        return [*rows, self._row("=", "logit", self.logits)]

    def _origins(self) -> list[tuple[Cell, ...]]:
        """The shown terms with at least half of their say from terms like them."""
        rows: list[tuple[Cell, ...]] = []
        for term in self._shown():
            lead = self._lead(term.contributions)
            if term.shared is not None and term.like and 2 * (part := self._lead(term.shared)) / (lead or 1.0) >= 1:
                rows.append((term.name, f"{lead:+.2f}", f"{part:+.2f}", ", ".join(term.like[:SAID])))
        return rows

    def _row(self, kind: str, name: str, values: dict[Label, float], where: str = "") -> tuple[Cell, ...]:
        return kind, name, where, values[self.label], values[self.runner_up], Bar(self._lead(values))

    def _lead(self, values: dict[Label, float]) -> float:
        return values[self.label] - values[self.runner_up]

    def _token_line(self) -> str:
        label, other = self.token_labels or (self.label, self.runner_up)
        line = f"what the transformer reads for {label} against {other}: {self.neural[label] - self.neural[other]:+.2f}"
        if self.token_bias is not None and self.token_gap is not None:
            line += f", of which {self.token_bias:+.2f} before a word is read; error {self.token_gap:.0e}"
        return line


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence with commas and *and*.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def words(text: str, spans: Iterable[Span]) -> str:
    """Return the words at some places of a text, each once, long ones cut.

    Examples
    --------
    >>> words("oil, oil and gas", [(0, 3), (5, 8), (13, 16)])
    'oil, gas'
    """
    found = list(dict.fromkeys(" ".join(text[start:end].split()) for start, end in spans))
    short = [word if len(word) <= 30 else word[:29] + "…" for word in found[:3]]
    return ", ".join(short) + (", …" if len(found) > 3 else "")


def plain(value: Any) -> Any:
    """Return a copy with strings as keys and lists instead of tuples, as in JSON."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def check_known(labels: Sequence[Label], classes: Sequence[Label]) -> None:
    """Raise a `LabelError` that names the labels a model does not have, if there are any."""
    if unknown := [label for label in dict.fromkeys(labels) if label not in classes]:
        names, known = (", ".join(map(repr, part)) for part in (unknown, classes))
        raise LabelError(f"the model has no label {names}; it has {known}")


def check_pair(label: Label, other: Label, classes: Sequence[Label]) -> None:
    """Raise a `LabelError` unless these are two different labels of a model."""
    check_known([label, other], classes)
    if label == other:
        raise LabelError(f"a contrast needs two labels, but both are {label!r}")
