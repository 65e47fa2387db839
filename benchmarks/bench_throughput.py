"""Claims, on a CPU and AG News test texts, with the same fine-tuned encoder on all sides: rulenet's best setting labels >= 10x the texts
per second of Hugging Face's pipeline("text-classification", batch_size=32) and loses <= 0.2 points of accuracy; and the certified
cascade labels >= 2x the texts of rulenet without a cascade and changes no prediction.

    python benchmarks/bench_throughput.py
    python benchmarks/bench_throughput.py --model FOLDER --texts 300

The pipeline runs ψ alone (its φ is zero, which costs the same), in PyTorch and 32-bit floats: encoder, mean, head, softmax. rulenet's
sides run all of f = φ + ψ: rules, TF-IDF, tokenising and encoder. "Lost" and "changed" are against rulenet in PyTorch without a cascade.
The sides take turns on the same texts, and the median of the passes is reported; both sides use all threads of the machine.
The 8-bit form is accepted on training rows that the model was not trained on. Without a model one is trained on 4,000 rows, to exit often
(exit_margin = 4), calibrated on 2,000 others, and kept under models/. Takes about four minutes on two cores, plus five to train.
"""

from __future__ import annotations

import argparse
import copy
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import HERE, RULES, accuracy, finish, read, sample

N_TRAIN = 4_000
N_CALIBRATION = 2_000
N_COMPARED = 600  # texts on which the 8-bit form is accepted or refused
PASSES = 3
WARM_UP = 64
FASTER, POINTS = 10.0, 0.002
CASCADE_FASTER = 2.0
BASE, BEST = "onnx int8", "onnx int8, statistical cascade"
SIDES = ("pytorch", "onnx fp32", BASE, "onnx int8, certified cascade", BEST)


def trained(folder: Path) -> Any:
    """Load the model to measure; train it first if it does not exist."""
    from rulenet import Recipe, RuleNetClassifier

    if not folder.exists():
        recipe = Recipe.of(exit_margin=4.0)
        clf = RuleNetClassifier(
            RULES / "ag_news.yaml", "minilm", recipe=recipe, random_state=0, device="cpu", verbose=1
        )
        clf.fit(*sample(*read("ag_news", "train"), N_TRAIN, 0))
        clf.calibrate(*unseen(N_CALIBRATION)).save(folder)
    return RuleNetClassifier.load(folder, device="cpu")


def unseen(n: int) -> tuple[list[str], list[str]]:
    """Return training rows that `trained` did not use."""
    texts, labels = read("ag_news", "train")
    used = set(random.Random(0).sample(range(len(texts)), N_TRAIN))
    rest = [i for i in range(len(texts)) if i not in used]
    chosen = random.Random(1).sample(rest, n)
    return [texts[i] for i in chosen], [labels[i] for i in chosen]


def pipeline_of(psi: Any, classes: list[str]) -> Callable[[list[str]], list[str]]:
    """Hugging Face's pipeline over a copy of ψ, wrapped as `transformers` wants a classifier to be."""
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel, PreTrainedTokenizerFast, pipeline
    from transformers.modeling_outputs import SequenceClassifierOutput
    from transformers.utils import logging

    class Classifier(PreTrainedModel):  # type: ignore[misc]
        """ψ with φ = 0."""

        _supports_sdpa = True

        def __init__(self, config: Any, psi: Any) -> None:
            super().__init__(config)
            self.psi = psi

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            """Compute the logits of a batch."""
            phi = torch.zeros(len(input_ids), len(classes))
            return SequenceClassifierOutput(logits=self.psi(input_ids, attention_mask, phi))

    logging.set_verbosity(logging.CRITICAL)  # it would list the hundred models that it knows
    config = copy.deepcopy(psi.body.config)
    config.id2label = dict(enumerate(classes))
    config.label2id = {name: i for i, name in enumerate(classes)}
    tokenizer = Tokenizer.from_str(psi.encoder.tokenizer.to_str())
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=tokenizer.id_to_token(psi.encoder.pad_id),
        model_max_length=psi.encoder.max_length,
    )
    model = Classifier(config, copy.deepcopy(psi)).eval()
    pipe = pipeline("text-classification", model=model, tokenizer=fast, device="cpu")
    return lambda texts: [found["label"] for found in pipe(texts, batch_size=32, truncation=True)]


def rulenet_sides(clf: Any) -> tuple[dict[str, Callable[[list[str]], Any]], Any]:
    """Return `predict` of the model in all its settings, and the cost of the 8-bit form if it was accepted."""
    from rulenet.model.onnx.engine import in_torch
    from rulenet.model.onnx.export import with_onnx

    texts, labels = unseen(N_COMPARED)
    y = [clf.classes_.tolist().index(label) for label in labels]
    plain = replace(clf.predictor_.hybrid, psi=in_torch(clf.predictor_.hybrid.psi))
    exact, _ = with_onnx(plain, texts, y, precision="fp32")
    rounded, report = with_onnx(plain, texts, y, precision="int8", max_loss=POINTS)
    sides = {}
    for name in SIDES:
        side = copy.copy(clf)
        side.predictor_ = side.predictor_.with_hybrid(
            plain if name == "pytorch" else exact if "fp32" in name else rounded
        )
        side.set_params(cascade=next((kind for kind in ("certified", "statistical") if kind in name), "off"))
        sides[name] = side.predict
    return sides, report


def main() -> None:
    """Run every side once per pass, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=HERE.parent / "models" / "bench_throughput")
    parser.add_argument("--texts", type=int, default=1_000)
    options = parser.parse_args()
    from rulenet.model.onnx.engine import in_torch

    clf = trained(options.model)
    texts, labels = sample(*read("ag_news", "test"), options.texts, 0)
    sides, report = rulenet_sides(clf)
    sides = {"pipeline": pipeline_of(in_torch(clf.predictor_.hybrid.psi), clf.classes_.tolist()), **sides}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    answers: dict[str, list[str]] = {}
    for side in sides.values():
        side(texts[:WARM_UP])
    for _ in range(PASSES):
        for name, side in sides.items():
            started = time.perf_counter()
            answers[name] = list(side(texts))
            seconds[name].append(time.perf_counter() - started)
        print({name: round(len(texts) / taken[-1], 1) for name, taken in seconds.items()}, flush=True)
    speed = {name: len(texts) / statistics.median(taken) for name, taken in seconds.items()}
    right = {name: accuracy(found, labels) for name, found in answers.items()}
    changed = {
        name: sum(a != b for a, b in zip(answers[name], answers["pytorch"], strict=True)) / len(texts) for name in SIDES
    }
    by_cascade = sum(a != b for a, b in zip(answers["onnx int8, certified cascade"], answers[BASE], strict=True))
    figures = {
        "texts": len(texts),
        "texts_per_second": {name: round(value, 1) for name, value in speed.items()},
        "times_pipeline": {name: round(value / speed["pipeline"], 2) for name, value in speed.items()},
        "accuracy": {name: round(value, 4) for name, value in right.items()},
        "answers_changed": {name: round(value, 4) for name, value in changed.items()},
        "answers_changed_by_certified_cascade": by_cascade,
        "int8_on_unseen_training_rows": report.to_dict(),
    }
    lost = right["pytorch"] - right[BEST]
    gain = speed["onnx int8, certified cascade"] / speed[BASE]
    claims = {
        f"{BEST}: at least {FASTER:g} x the pipeline": speed[BEST] >= FASTER * speed["pipeline"],
        f"{BEST}: at most {POINTS:.1%} of accuracy lost": lost <= POINTS + 1e-9,
        f"certified cascade: at least {CASCADE_FASTER:g} x rulenet without": gain >= CASCADE_FASTER,
        "certified cascade: no answer changed": by_cascade == 0,
    }
    finish("throughput", figures, claims, seeds=[0])


if __name__ == "__main__":
    main()
