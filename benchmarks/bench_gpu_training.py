"""Claims, on one GPU and AG News: ψ trains >= 3x the texts per second of Hugging Face's Trainer with its defaults and >= 1.5x of a
tuned one, as accurately; and the hybrid is trained on all provided rows, tokenising and φ included, in <= 30 s.

    python benchmarks/bench_gpu_training.py
    python benchmarks/bench_gpu_training.py --device cpu --rows 200 --epochs 1 --encoder FOLDER      only compares

Equal on both sides: encoder (every layer trained), texts, epochs, word pieces read. The time is from texts to trained weights: loading
the encoder, tokenising, every step; rulenet's also includes choosing the best epoch on held-out texts, which are not counted as trained.
Trainer: checkpoints off on both settings; tuned is bf16, batches of 32 grouped by length, fused AdamW and two loading processes.
Everything runs once on a few texts first, so that the start of CUDA is not measured. With --repeats the sides take turns, and the median
is reported. One run is expected to take six minutes, most of them for Trainer's defaults and φ.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from typing import Any

from common import RULES, accuracy, finish, read, sample

THROUGHPUT_ROWS = 12_000
WARM_UP_ROWS = 256
MAX_LENGTH = 256
LIMIT_S = 30
FASTER = {"trainer_default": 3.0, "trainer_tuned": 1.5}
POINTS = 0.01  # less than this below the tuned Trainer is as accurate

Texts = tuple[list[str], list[str]]


def train_rulenet(train: Texts, options: argparse.Namespace, *, hybrid: bool) -> tuple[float, Any]:
    """Return the texts per second of the ψ stage, and the model."""
    from rulenet import Recipe, RuleNetClassifier
    from rulenet.training.tuning.full import Full

    recipe = Recipe.of(tune=Full(), epochs=options.epochs, max_length=MAX_LENGTH)
    clf = RuleNetClassifier(
        RULES / "ag_news.yaml" if hybrid else None, options.encoder, device=options.device, random_state=0, n_jobs=-1,
        recipe=recipe if hybrid else recipe.with_changes(tfidf=False, bound=None),
    ).fit(*train)  # fmt: skip
    report = clf.report_
    trained = len(train[0]) - report["held_out"].get("texts", 0)
    return trained * report["epochs"] / report["seconds"]["psi"], clf


def train_trainer(train: Texts, options: argparse.Namespace, *, tuned: bool) -> tuple[float, Any]:
    """Return the texts per second, and a function from texts to labels."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

    from rulenet.model.encoders.hub import quiet_transformers
    from rulenet.model.encoders.minilm import folder as minilm_folder

    started = time.perf_counter()
    folder = str(minilm_folder()) if options.encoder == "minilm" else options.encoder
    labels = sorted(set(train[1]))
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    with quiet_transformers():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=len(labels), local_files_only=True
        )
    max_length = min(MAX_LENGTH, model.config.max_position_embeddings)

    def dataset(texts: list[str], y: list[str]) -> list[dict[str, Any]]:
        rows = tokenizer(texts, truncation=True, max_length=max_length)
        return [
            {"input_ids": ids, "attention_mask": mask, "labels": labels.index(label)}
            for ids, mask, label in zip(rows["input_ids"], rows["attention_mask"], y, strict=True)
        ]

    settings: dict[str, Any] = {
        "num_train_epochs": options.epochs, "save_strategy": "no", "report_to": "none", "disable_tqdm": True, "seed": 0,
        "use_cpu": options.device == "cpu",
    }  # fmt: skip
    if tuned:
        settings |= {
            "per_device_train_batch_size": 32, "bf16": options.device != "cpu", "optim": "adamw_torch_fused",
            "dataloader_num_workers": 2, "dataloader_persistent_workers": True,
        }  # fmt: skip
        names = {field.name for field in dataclasses.fields(TrainingArguments)}
        grouped = {"train_sampling_strategy": "group_by_length"}  # its name since transformers 5
        settings |= grouped if "train_sampling_strategy" in names else {"group_by_length": True}
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model, TrainingArguments(folder, **settings), train_dataset=dataset(*train), processing_class=tokenizer
        )
        trainer.train()
    seconds = time.perf_counter() - started

    def predict(texts: list[str]) -> list[str]:
        scores = trainer.predict(dataset(texts, [labels[0]] * len(texts))).predictions
        return [labels[i] for i in scores.argmax(axis=1)]

    return len(train[0]) * options.epochs / seconds, predict


def measure_throughput(train: Texts, test: Texts, options: argparse.Namespace) -> dict[str, Any]:
    """Measure every side on the same texts: texts per second, and accuracy on the test texts."""
    sides = {
        "rulenet_psi": lambda texts: train_rulenet(texts, options, hybrid=False),
        "rulenet_hybrid": lambda texts: train_rulenet(texts, options, hybrid=True),
        "trainer_default": lambda texts: train_trainer(texts, options, tuned=False),
        "trainer_tuned": lambda texts: train_trainer(texts, options, tuned=True),
    }
    few = sample(*train, min(WARM_UP_ROWS, len(train[0])), 0)
    for run in sides.values():
        run(few)
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    found: dict[str, Any] = {}
    for turn in range(options.repeats):
        for name, run in sides.items():
            speed, model = run(train)
            speeds[name].append(round(speed, 1))
            print(name, round(speed), "texts/s", flush=True)
            if turn == options.repeats - 1:
                predicted = model.predict(test[0]) if name.startswith("rulenet") else model(test[0])
                found[name] = {"accuracy": round(accuracy(predicted, test[1]), 4)}
    for name, each in speeds.items():
        found[name] |= {"texts_per_s": statistics.median(each), "runs": each}
    return found


def measure_end_to_end(train: Texts, test: Texts, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the wall time of fit for the hybrid on all rows."""
    started = time.perf_counter()
    _, clf = train_rulenet(train, options, hybrid=True)
    seconds = time.perf_counter() - started
    return {
        "rows": len(train[0]), "seconds": round(seconds, 1),
        "stages": {stage: round(s, 1) for stage, s in clf.report_["seconds"].items()},
        "accuracy": round(accuracy(clf.predict(test[0]), test[1]), 4),
    }  # fmt: skip


def main() -> None:
    """Measure throughput on some rows, then training on all rows end to end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--rows", type=int, default=0, help="training rows at most (0: all)")
    parser.add_argument("--test", type=int, default=0, help="test rows at most (0: all)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--encoder", default="minilm", help="minilm or a folder of a BERT-like encoder")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    import torch

    gpu = options.device == "cuda"
    train, test = read("ag_news", "train"), read("ag_news", "test")
    full = gpu and not options.rows and options.encoder == "minilm"
    train = sample(*train, options.rows, 0) if options.rows else train
    test = sample(*test, options.test, 0) if options.test else test
    figures: dict[str, Any] = {"epochs": options.epochs, "max_length": MAX_LENGTH, "test_rows": len(test[0])}
    some = sample(*train, min(THROUGHPUT_ROWS, len(train[0])), 0)
    figures["throughput_rows"] = len(some[0])
    sides = figures["throughput"] = measure_throughput(some, test, options)
    figures["end_to_end"] = measure_end_to_end(train, test, options)
    claims = {}
    for name, factor in FASTER.items():
        ratio = sides["rulenet_psi"]["texts_per_s"] / sides[name]["texts_per_s"]
        figures[f"psi_to_{name}"] = round(ratio, 2)
        what = "with its defaults" if name == "trainer_default" else "tuned"
        if full:
            claims[f"ψ trains >= {factor}x the texts/s of Trainer {what}"] = ratio >= factor
        else:
            claims[f"{'reduced run' if gpu else 'CPU-sized'}: ψ trains more texts/s than Trainer {what}"] = ratio > 1
    if full:
        behind = sides["trainer_tuned"]["accuracy"] - sides["rulenet_psi"]["accuracy"]
        claims[f"ψ less than {POINTS:.0%} below the tuned Trainer's accuracy"] = behind < POINTS
        what = f"hybrid on all {len(train[0]):,} rows end to end <= {LIMIT_S} s"
        claims[what] = figures["end_to_end"]["seconds"] <= LIMIT_S
    name = "gpu_training" if full else "gpu_training_reduced"
    finish(name, figures, claims, device=torch.cuda.get_device_name() if gpu else "cpu", seeds=[0])


if __name__ == "__main__":
    main()
