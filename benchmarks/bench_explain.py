"""Claim: for 1,000 AG News and 200 Chinese test texts, bias + Σ terms + neural = logit within 1e-4 for every label, the addends of
every contrast of two labels add up too, and every span of a term or rule is at the right place in the original text.
"""

from __future__ import annotations

import itertools
import time

from common import RULES, finish, read, sample

from rulenet import Recipe, RuleNetClassifier
from rulenet.text.clean import clean
from rulenet.text.fold import fold

TOLERANCE = 1e-4
CASES = (
    ("ag_news", "ag_news.yaml", "minilm", 1_000, 1_500),
    ("thucnews_titles", "thucnews.yaml", "scratch", 200, 2_000),
)


def main() -> None:
    """Fit a small hybrid for each language and check every explanation."""
    figures, claims = {}, {}
    for name, pack, encoder, n_test, n_train in CASES:
        train = sample(*read(name, "train"), n_train, 0)
        test, _ = sample(*read(name, "test"), n_test, 0)
        recipe = Recipe.of(
            epochs=1, frozen_layers=5 if encoder == "minilm" else 0
        )  # exactness does not depend on how good ψ is
        clf = RuleNetClassifier(RULES / pack, encoder, recipe=recipe, random_state=0).fit(*train)
        logits = clf.decision_function(test)
        started = time.perf_counter()
        explanations = clf.explain(test)
        seconds = time.perf_counter() - started
        worst = spans = wrong = hits = 0
        for e, row in zip(explanations, logits, strict=True):
            for label, logit in zip(clf.classes_, row, strict=True):
                total = e.bias[label] + sum(term.contributions[label] for term in e.terms) + e.neural[label]
                worst = max(worst, abs(total - e.logits[label]), abs(e.logits[label] - float(logit)))
            for label, other in itertools.combinations(e.logits, 2):
                c = e.contrast(label, other)
                total = c.bias + sum(term.difference for term in c.terms) + c.neural
                worst = max(worst, abs(total - (e.logits[label] - e.logits[other])), abs(total - c.total))
            fired = clf.predictor_.hybrid.features.ruleset.spans(e.text)
            for term in e.terms:
                spans += len(term.spans)
                if term.kind == "tfidf":
                    wrong += not term.spans or any(not same(e.text[a:b], term.name) for a, b in term.spans)
                elif term.kind == "rule":
                    hits += 1
                    wrong += term.spans != fired.get(term.name) or any(not e.text[a:b].strip() for a, b in term.spans)
        figures[name] = {
            "texts": len(test), "labels": len(clf.classes_), "worst_gap": worst, "spans": spans, "rule_hits": hits,
            "terms_with_wrong_spans": wrong,
            "neural_share": clf.report_["psi_scale"], "explanations_per_s": round(len(test) / seconds),
        }  # fmt: skip
        claims[f"{name}: bias + Σ terms + neural = logit within {TOLERANCE}, and so in every contrast"] = (
            worst <= TOLERANCE
        )
        claims[f"{name}: all {spans} spans point at their words"] = wrong == 0 and spans > 0 and hits > 0
    finish("explain", figures, claims, seeds=[0])


def same(piece: str, term: str) -> bool:
    """Whether a piece of the original text is the term: the same words, or for Chinese the same characters."""
    words = [word for word in fold(clean(piece)).split() if len(word) > 1]
    return (
        " ".join(words) == term
        or clean(piece).casefold().replace(" ", "") == term.replace(" ", "")
        or squeezed(piece) == squeezed(term)
    )


def squeezed(text: str) -> str:
    """Return only the letters and digits."""
    return "".join(char for char in clean(text).casefold() if char.isalnum())


if __name__ == "__main__":
    main()
