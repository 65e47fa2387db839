"""Claim: a change of structure leaves every fitted weight, prediction and explanation as it was, bit for bit.

``--store`` stores checksums of the present results; without it, the present results are compared with the stored ones. Rounding differs
between processors and library versions, so these are stored too, and the comparison is refused if they differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from typing import Any

import numpy as np
import torch
from common import HERE, RULES, finish, read, record_of, sample

from rulenet import RuleNetClassifier
from rulenet.cli.demo import ASKED, EDIT, read_corpus
from rulenet.rules.ruleset import RuleSet

N_TRAIN, N_PREDICTED, N_SLOW = 500, 200, 4
STORED = HERE / "results" / "same.json"


def checksum(value: Any) -> str:
    """Return a checksum of arrays, tensors or anything JSON can represent."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    data = value.tobytes() if isinstance(value, np.ndarray) else json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def results(clf: RuleNetClassifier, texts: list[str]) -> dict[str, str]:
    """Return checksums of a fitted model and of its predictions and explanations for some texts."""
    hybrid = clf.predictor_.hybrid
    found = {
        "weights of φ": checksum([hybrid.weights.coef.tolist(), hybrid.weights.bias.tolist()]),
        "scales": checksum([hybrid.phi_scale, hybrid.psi_scale]),
        # Sorted, so that the names of modules do not matter.
        "weights of ψ": checksum(sorted(checksum(value) for value in hybrid.psi.state_dict().values())),
        "predictions": checksum([clf.predict(texts).tolist(), clf.predict_proba(texts).tolist()]),
        "label sets": checksum(clf.predict_set(texts, 0.9)),
        "explanations": checksum([e.to_dict() for e in clf.explain(texts)]),
        "tokens": checksum([e.to_dict() for e in clf.explain(texts[:N_SLOW], tokens=True)]),
        "what if": checksum([str(clf.what_if(text)) for text in texts[:N_SLOW]]),
        "global": checksum(clf.explain_global(texts).to_dict()),
        "cascade": checksum(clf.set_params(cascade="certified").predict_with_path(texts)[1].tolist()),
    }
    clf.set_params(cascade="off")
    return found


def today(only: str | None) -> dict[str, dict[str, str]]:
    """Fit the models."""
    found = {}
    for language, encoder in (("en", "minilm"), ("zh", "scratch")):
        if only not in (None, f"demo {language}"):
            continue
        corpus = read_corpus(language)
        clf = RuleNetClassifier(corpus.rules, encoder, random_state=0).fit(*corpus.train)
        found[f"demo {language}"] = results(clf, corpus.test[0][:N_PREDICTED])
        edited = clf.with_rules(RuleSet.from_yaml(corpus.rules.source.rstrip("\n") + "\n" + EDIT))
        found[f"demo {language}"]["with_rules"] = checksum([e.to_dict() for e in edited.explain([ASKED])])
    if only not in (None, "ag_news"):
        return found
    texts, labels = sample(*read("ag_news", "train"), N_TRAIN + N_PREDICTED, 0)
    clf = RuleNetClassifier(RULES / "ag_news.yaml", "minilm", random_state=0)
    clf.fit(texts[:N_TRAIN], labels[:N_TRAIN], unlabeled=texts[N_TRAIN : N_TRAIN + 100])
    found["ag_news"] = results(clf, texts[N_TRAIN:])
    return found


def main() -> None:
    """Store or compare the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--only", choices=["demo en", "demo zh", "ag_news"], help="compare one case")
    arguments = parser.parse_args()
    store = arguments.store
    torch.set_num_threads(2)
    before = None if store else json.loads(STORED.read_text(encoding="utf-8"))
    if before is not None:
        now = record_of("same", {}, {})
        differing = [name for name in ("machine", "versions") if before[name] != now[name]]
        if differing:
            sys.exit(
                f"results/same.json was made with other {' and '.join(differing)}; check out its commit and --store"
            )
    found = today(arguments.only)
    if before is None:
        finish("same", found, {"stored": True})
    claims = {
        f"{case}: {name} as at {before['commit']}": digest == found[case][name]
        for case, digests in before["figures"].items()
        if case in found
        for name, digest in digests.items()
    }
    for claim, held in claims.items():
        print(("✓ " if held else "✗ CHANGED: ") + claim)
    sys.exit(0 if all(claims.values()) else 1)


if __name__ == "__main__":
    main()
