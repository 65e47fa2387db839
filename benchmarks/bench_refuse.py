"""Claim: a model folder that someone has tampered with is refused with a clear error, and nothing in it is executed.

Tried are a changed weight file, pickles in place of parts and next to them, a path such as ../../x in config.json, and protocol numbers
one higher and one lower.
"""

from __future__ import annotations

import pickle
import shutil
import sys
import tempfile
from pathlib import Path

from common import RULES, finish

sys.path.insert(0, str(RULES.parent))

from rulenet import Recipe, RuleNetClassifier
from rulenet.errors import ModelFileError
from tests.store.folders import config_of, forge, part, write_config

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
    figures = {}
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
    claims = {f"{name}: refused": message.startswith("refused") for name, message in figures.items()}
    claims["nothing was executed"] = not MARKER.exists()
    finish("refuse", figures, claims)


if __name__ == "__main__":
    main()
