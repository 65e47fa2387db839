"""Claim: a model folder with a tampered weight file, a pickle in place of one, a path such as ../../x in its config, or a newer
protocol number is refused with a clear error, and nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import tempfile
from pathlib import Path

from common import finish

from rulenet import Recipe, RuleNetClassifier
from rulenet.errors import ModelFileError

MARKER = Path(tempfile.gettempdir()) / "rulenet-was-executed"


class Bomb:
    """Leaves a mark when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return MARKER.write_text, ("boom",)


def tamper(folder: Path) -> None:
    """Flip one bit of the weights."""
    data = bytearray((folder / "phi.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "phi.safetensors").write_bytes(bytes(data))


def put_pickle(name: str, folder: Path) -> None:
    """A pickle under the name of a weight file, with the checksum in config.json put right."""
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    data = (folder / name).read_bytes()
    edit(folder, lambda c: c["files"].update({name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}))


def edit(folder: Path, change: object) -> None:
    """Change config.json."""
    config = json.loads((folder / "config.json").read_text())
    change(config)  # type: ignore[operator]
    (folder / "config.json").write_text(json.dumps(config))


def main() -> None:
    """Try each attack on a copy of one saved model."""
    texts = ["good film", "bad film", "fine acting", "dull plot"] * 12
    clf = RuleNetClassifier(None, "scratch", recipe=Recipe.of(epochs=1), random_state=0).fit(
        texts, ["pos", "neg", "pos", "neg"] * 12
    )
    attacks = {
        "tampered weights": tamper,
        "pickle as phi.safetensors": lambda folder: put_pickle("phi.safetensors", folder),
        "pickle as encoder/model.safetensors": lambda folder: put_pickle("encoder/model.safetensors", folder),
        "pickle as head.safetensors": lambda folder: put_pickle("head.safetensors", folder),
        "pickle beside the weights": lambda folder: (folder / "encoder/pytorch_model.bin").write_bytes(
            pickle.dumps(Bomb())
        ),
        "path ../../x": lambda folder: edit(
            folder, lambda c: c["files"].update({"../../x": c["files"]["phi.safetensors"]})
        ),
        "newer protocol": lambda folder: edit(folder, lambda c: c.update(protocol=c["protocol"] + 1)),
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
