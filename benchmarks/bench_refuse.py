"""Claim: whatever others wrote does no harm.

A model folder that someone has tampered with is refused with a clear error, and nothing in it is executed: a changed weight file, pickles
in place of parts and next to them, a path such as ../../x in config.json, protocol numbers one higher and one lower. A folder changed in
any one place, with matching checksums, is refused in one line, or answers with finite numbers. No command prints what steers a terminal,
with foreign text from every source, and none ends in a traceback. Time is linear in the length of a text whatever it is made of.
"""

from __future__ import annotations

import gc
import math
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import RULES, finish

sys.path.insert(0, str(RULES.parent))

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import ModelFileError
from rulenet.text.clean import clean
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser
from tests.cli.test_hostile import RUNS, new_world, printed
from tests.store.folders import config_of, forge, part, write_config
from tests.store.mutations import array_changes, json_changes, outcome
from tests.text.hostile import units

EVERY = 3  # of the changes of JSON files; all take a quarter of an hour
LIMIT_EXPONENT = 1.2  # of time over length, from n to 4n characters
N_CHARACTERS = 5_000
NOTABLE_S = 0.02  # shorter times are noise
LINEAR_RULES = """
rulenet: 1
language: en
lexicons: {w: [good, 'bad film', 好]}
rules:
  - {id: word, label: pos, word: [good, a, "0", दिन], negation: skip}
  - {id: near, label: neg, near: {terms: [a, "0"], within: 5}}
  - {id: sentence, label: neg, near: {terms: [a, 好], same: sentence}}
  - {id: count, label: pos, count: {lexicon: w, at_least: 2}}
  - {id: regex, label: pos, regex: '\\ba+.{0,30}b'}
  - {id: gap, label: pos, phrase: [好 坏, "a b"], gap: 3, where: first_sentence}
  - {id: starts, label: neg, starts: [好, a], where: start}
"""
MARKER = Path(tempfile.gettempdir()) / "rulenet-was-executed"


class Bomb:
    """An object that leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return MARKER.write_text, ("boom",)


def tamper(folder: Path) -> None:
    """Flip one bit of the weights."""
    data = bytearray(part(folder, "phi.safetensors").read_bytes())
    data[-1] ^= 1
    part(folder, "phi.safetensors").write_bytes(bytes(data))


def put_pickle(name: str, folder: Path) -> None:
    """Put a pickle in place of a part, and correct its name and checksum."""
    forge(folder, name, pickle.dumps(Bomb()))


def edit(folder: Path, change: object) -> None:
    """Change config.json."""
    config = config_of(folder)
    change(config)  # type: ignore[operator]
    write_config(folder, config)


def changed_models(work: Path, models: dict[Path, tuple[str, ...]]) -> tuple[Counter[str], list[str]]:
    """Outcomes of changing each value and array of these files of models, one at a time; and what else came of it."""
    outcomes, bad = Counter[str](), []
    for model, names in models.items():
        for name in names:
            every = json_changes(model, name, every=EVERY) if name.endswith("json") else array_changes(model, name)
            for what, change in every:
                found = outcome(model, change, work)
                outcomes[found if found in ("refused", "answers") else "harm"] += 1
                bad += [f"{what}: {found}"] if found not in ("refused", "answers") else []
    return outcomes, bad


def steering(work: Path) -> tuple[int, list[str]]:
    """Number of runs of commands with foreign text, and those that printed what steers a terminal, or ended otherwise than allowed."""
    world, bad, n = new_world(work), [], 0
    for command, runs in RUNS.items():
        for run in runs:
            n += 1
            try:
                printed(world, command, run, is_coloured=False)
            except AssertionError as error:
                bad.append(f"{command} {run}: {error}"[:500])
    return n, bad


def endings(model: Path) -> dict[str, str]:
    """How processes end: exit status and standard error."""
    call = [sys.executable, "-m", "rulenet"]
    endless = f"yes good film | {' '.join(call)} predict {model} -"
    shells = {
        "output on /dev/full": f"{' '.join(call)} rules schema > /dev/full",
        "messages on /dev/full": f"{' '.join(call)} rules lint no.yaml 2> /dev/full",
        "reader gone": f"({endless}; echo $? >&2) | head -1 > /dev/null",
        "closed streams": f"{' '.join(call)} explain {model} good <&- >&- 2>&-",
        "little memory": f"ulimit -v 900000; {' '.join(call)} explain {model} good",
    }
    found = {}
    for name, shell in shells.items():
        done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False, text=True)
        found[name] = f"{done.returncode}: {done.stderr.strip()}"
    return found


def growth(work: Callable[[str], object], unit: str, n_runs: int = 3) -> float:
    """Exponent of the processor time of some work over the length of a text of many units; 0 where it is too short to say."""
    times = []
    for length in (N_CHARACTERS, 4 * N_CHARACTERS):
        text, runs = unit * (length // len(unit)), []
        for _ in range(n_runs):
            started = time.process_time()
            work(text)
            runs.append(time.process_time() - started)
        times.append(min(runs))
    return math.log(times[1] / times[0], 4) if times[1] > NOTABLE_S else 0.0


def believed(work: Callable[[str], object], unit: str) -> float:
    """The exponent; one that is too large is measured once more, with more runs of either length, and then stands."""
    exponent = growth(work, unit)
    return growth(work, unit, n_runs=15) if exponent > LIMIT_EXPONENT else exponent


def steepest() -> dict[str, list[Any]]:
    """For each kind of work the largest exponent and the unit that has it."""
    clf = RuleNetClassifier(RuleSet.from_yaml(LINEAR_RULES), encoder=None, random_state=0)
    clf.fit(["good film a", "bad film b", "fine good", "dull bad"] * 6, ["pos", "neg"] * 12)
    rules, english, chinese = RuleSet.from_yaml(LINEAR_RULES), Tokeniser("en"), Tokeniser("zh")
    tagger, in_chinese = Tagger(english), rules.matcher("zh")
    works: dict[str, Callable[[str], object]] = {
        "clean": clean,
        "tokens": lambda text: english.tokens(clean(text)),
        "tokens, Chinese": lambda text: chinese.tokens(clean(text)),
        "tags": lambda text: tagger.tag(clean(text)),
        "match": lambda text: rules.match([text]),
        "match, Chinese": lambda text: in_chinese.match([text]),
        "predict": lambda text: clf.predict([text]),
        "explain": lambda text: clf.explain([text]),
    }
    found = {}
    gc.disable()  # its time depends on what else there is
    for name, work in works.items():
        work("warm up")
        exponent, unit = max((believed(work, unit), unit) for unit in units())
        found[name] = [round(exponent, 2), ascii(unit)]
        gc.collect()
    gc.enable()
    return found


def main() -> None:
    """Try each attack on a copy of one saved model."""
    texts = ["good film", "bad film", "fine acting", "dull plot"] * 12
    clf = RuleNetClassifier(None, "scratch", recipe=Recipe.of(epochs=1), random_state=0).fit(
        texts, ["pos", "neg", "pos", "neg"] * 12
    )
    attacks = {
        "tampered weights": tamper,
        "pickle as phi.safetensors": lambda folder: put_pickle("phi.safetensors", folder),
        "pickle as encoder.safetensors": lambda folder: put_pickle("encoder.safetensors", folder),
        "pickle as head.safetensors": lambda folder: put_pickle("head.safetensors", folder),
        "pickle next to the weights": lambda folder: (folder / "parts/pytorch_model.bin").write_bytes(
            pickle.dumps(Bomb())
        ),
        "path ../../x": lambda folder: edit(
            folder, lambda c: c["parts"].update({"../../x": c["parts"]["phi.safetensors"]})
        ),
        "newer protocol": lambda folder: edit(folder, lambda c: c.update(protocol=c["protocol"] + 1)),
        "earlier protocol": lambda folder: edit(folder, lambda c: c.update(protocol=c["protocol"] - 1)),
    }
    figures: dict[str, Any] = {}
    MARKER.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as work:
        clf.save(Path(work) / "model")
        RuleNetClassifier.load(Path(work) / "model").predict(texts[:2])
        for name, attack in attacks.items():
            folder = Path(work) / "copy"
            shutil.copytree(Path(work) / "model", folder)
            attack(folder)
            try:
                RuleNetClassifier.load(folder)
                figures[name] = "LOADED"
            except ModelFileError as error:
                figures[name] = "refused: " + str(error).replace(work, "")
            shutil.rmtree(folder)
        RuleNetClassifier(RULES / "imdb.yaml", None).fit(texts, ["pos", "neg", "pos", "neg"] * 12).save(
            Path(work) / "phi"
        )
        clf = RuleNetClassifier.load(Path(work) / "phi").calibrate(texts, ["pos", "neg", "pos", "neg"] * 12)
        clf.save(Path(work) / "phi")
        outcomes, bad = changed_models(
            Path(work),
            {
                Path(work) / "phi": ("config.json", "vocabulary.json", "phi.safetensors", "held_out.safetensors"),
                Path(work) / "model": ("encoder.json", "tokenizer.json", "head.safetensors"),
            },
        )
        n_runs, steered = steering(Path(work))
        ends = endings(Path(work) / "phi")
    figures |= {
        "changed in one place": dict(outcomes),
        "harm": bad,
        "runs with foreign text": n_runs,
        "steered": steered,
    }
    figures |= {"endings": ends, "exponents of time": steepest()}
    claims = {f"{name}: refused": message.startswith("refused") for name, message in figures.items() if name in attacks}
    claims["nothing was executed"] = not MARKER.exists()
    claims["changed in one place: refused in a line, or finite answers"] = not bad and outcomes["answers"] > 0
    claims["nothing foreign steers the terminal"] = not steered
    claims["no traceback"] = not any("Traceback" in end or "a bug in rulenet" in end for end in ends.values())
    claims[f"time grows with at most the {LIMIT_EXPONENT}th power of the length"] = all(
        exponent <= LIMIT_EXPONENT for exponent, _ in figures["exponents of time"].values()
    )
    finish("refuse", figures, claims)


if __name__ == "__main__":
    main()
