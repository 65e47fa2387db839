"""config.json of a model folder: what it may say, and whether the files beside it are those that were saved. Imports errors.

Raise PROTOCOL when the format of the folder changes, and then:
1. keep reading the old number in persist.py (or say in the message what to do),
2. add a small model of the old format to tests/test_persist.py,
3. note the change in this docstring.

1: first format.
2: held_out.safetensors, onnx/psi.onnx, cascade and cascade_risk, long_texts and max_chunks of an encoder; models without them are read
   as before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rulenet.base.version import __version__
from rulenet.errors import ModelFileError

PROTOCOL = 2
ENCODER_FILES = ("encoder/config.json", "encoder/tokenizer.json", "encoder/model.safetensors", "head.safetensors")
ONNX_FILE = "onnx/psi.onnx"  # there if the model was exported: ψ once more, for ONNX Runtime
FILES = ("rules.yaml", "phi.safetensors", "vocabulary.json", "held_out.safetensors", *ENCODER_FILES, ONNX_FILE)
# States before and after edits of the rules (see workbench/history.py): only looked into to go back to one, and checked then.
EDITED_FILES = ("config.json", "rules.yaml", "phi.safetensors")
HISTORY = re.compile(rf"history/(undo|redo)/\d{{6}}/({'|'.join(map(re.escape, EDITED_FILES))})")
MAX_JSON = 500_000_000
SHOWN = 8


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Model = TypeVar("_Model", bound=_Strict)


class FileEntry(_Strict):
    """A file as it was saved."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class EncoderEntry(_Strict):
    """What the files of an encoder do not say themselves."""

    name: str
    pad_id: int = Field(ge=0)
    max_length: int = Field(ge=8, le=1_000_000)
    bound: float | None = Field(gt=0, allow_inf_nan=False)
    long_texts: Literal["head", "head_tail", "chunks"] = "head"
    max_chunks: int = Field(default=4, ge=1, le=1000)
    pooling: Literal["mean", "first"] = "mean"
    prefix: str = Field(default="", max_length=1000)


class HeldOutEntry(_Strict):
    """What held_out.safetensors does not say itself."""

    is_stale: bool


class Vocabulary(_Strict):
    """vocabulary.json: the tokeniser's own Chinese words, and the TF-IDF terms in column order."""

    words: list[str]
    terms: list[str]

    @model_validator(mode="after")
    def _terms_differ(self) -> Vocabulary:
        if len(set(self.terms)) < len(self.terms):
            raise ValueError("a term stands twice")
        return self


class ModelConfig(_Strict):
    """config.json."""

    protocol: int = Field(ge=1)
    rulenet: str
    labels: list[str] | list[bool] | list[int] | list[float] = Field(min_length=2)
    label_type: Literal["str", "int", "bool", "float"]
    language: Literal["en", "zh"]
    recipe: dict[str, Any]
    phi_scale: float = Field(gt=0, allow_inf_nan=False)
    psi_scale: float = Field(ge=0, allow_inf_nan=False)
    has_rules: bool
    encoder: EncoderEntry | None
    held_out: HeldOutEntry | None = None
    cascade: Literal["off", "certified", "statistical"] = "off"
    cascade_risk: float = Field(default=0.005, gt=0, lt=1)
    report: dict[str, Any]
    files: dict[str, FileEntry]

    @model_validator(mode="after")
    def _labels_agree(self) -> ModelConfig:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands twice")
        if {type(label).__name__ for label in self.labels} != {self.label_type}:
            raise ValueError(f"the labels are not of type {self.label_type}")
        return self


def validated(model: type[_Model], data: Any, file: Path) -> _Model:
    """Data of a JSON file in its shape, or a ModelFileError that names the fields."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False)]
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ModelFileError(f"{file}: {'; '.join(faults[:SHOWN])}{more}") from None


def read_config(folder: Path) -> ModelConfig:
    """config.json of a folder; a newer format is told apart from a damaged one."""
    if not folder.is_dir():
        raise ModelFileError(f"{folder}: no such folder; a model is the folder that save() wrote")
    file = folder / "config.json"
    if not file.is_file() or file.is_symlink():
        raise ModelFileError(f"{folder}: there is no config.json, so this is not a rulenet model")
    data = read_json(file)
    protocol = data.get("protocol") if isinstance(data, dict) else None
    if not isinstance(protocol, int) or "rulenet" not in data:
        raise ModelFileError(f"{file}: the 'protocol' number of a rulenet model is missing, so this is none")
    if protocol > PROTOCOL:
        raise ModelFileError(
            f"{folder}: written in format {protocol} by rulenet {data['rulenet']}; this rulenet {__version__} reads up to {PROTOCOL}. "
            "Upgrade: pip install -U rulenet"
        )
    return validated(ModelConfig, data, file)


def read_json(path: Path) -> Any:
    """A JSON file of a sane size."""
    if path.stat().st_size > MAX_JSON:
        raise ModelFileError(f"{path} is larger than {MAX_JSON:,} bytes, which no model needs")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not JSON: {error}") from None


def entries(folder: Path) -> dict[str, FileEntry]:
    """Checksums of the files that are there."""
    files = [name for name in FILES if (folder / name).is_file()]
    return {name: FileEntry(sha256=_sha256(folder / name), bytes=(folder / name).stat().st_size) for name in files}


def check_files(folder: Path, config: ModelConfig) -> None:
    """Every file is one we know, lies in the folder, and is the one that was written; all faults at once."""
    wanted = {"phi.safetensors", "vocabulary.json"} | ({"rules.yaml"} if config.has_rules else set())
    wanted |= set(ENCODER_FILES) if config.encoder is not None else set()
    wanted |= {"held_out.safetensors"} if config.held_out is not None else set()
    wanted |= {ONNX_FILE} & config.files.keys() if config.encoder is not None else set()
    faults = [f"{name!r} is not a file of this model" for name in config.files if name not in wanted]
    faults += [f"{name} is not listed in config.json" for name in sorted(wanted - set(config.files))]
    for name in sorted(wanted & set(config.files)):
        file, entry = folder / name, config.files[name]
        if not file.is_file() or file.is_symlink() or file.parent.is_symlink():
            faults.append(f"{name} is missing or a link")
        elif file.stat().st_size != entry.bytes or _sha256(file) != entry.sha256:
            faults.append(f"{name} is not the file that was saved (its checksum differs)")
    faults += [f"{name} does not belong to the model" for name in sorted(_present(folder) - wanted - {"config.json"})]
    if faults:
        raise ModelFileError(
            f"{folder} was refused: {'; '.join(faults)}. Save the model again, or get an unchanged copy"
        )


def check_target(path: str | os.PathLike[str]) -> Path:
    """The folder a model would be written to, if that destroys nothing but an older model.

    Raises
    ------
    ModelFileError
        If `path` exists and is neither an empty folder nor a model.
    """
    target = Path(path).resolve()  # a link to a model goes on pointing at it
    try:
        foreign = _foreign(target)
    except OSError as error:
        raise ModelFileError(f"{target} cannot be read: {error.strerror}") from error
    if foreign:
        raise ModelFileError(
            f"{target} exists and is not a rulenet model ({foreign}); choose another name or remove it first"
        )
    return target


def _foreign(target: Path) -> str:
    """What there is at this place that is no model; nothing if it may be replaced."""
    if not target.is_dir():
        return "it is a file" if target.exists() else ""
    strange = sorted(_present(target) - {"config.json", *FILES})
    if strange:
        return f"it holds {strange[0]}"
    if any(target.iterdir()) and not _is_config(target / "config.json"):
        return "it has no config.json of a model"
    return ""


def _is_config(path: Path) -> bool:
    """Whether this is a model's config.json, damaged or of another version though it may be."""
    try:
        data = read_json(path)
    except (ModelFileError, OSError):
        return False
    return isinstance(data, dict) and {"protocol", "rulenet", "files"} <= data.keys()


def _present(folder: Path) -> set[str]:
    """Names of all files and links below a folder, but for the model's history."""
    files = (file for file in folder.rglob("*") if file.is_symlink() or not file.is_dir())
    names = {file.relative_to(folder).as_posix(): file for file in files}
    return {name for name, file in names.items() if file.is_symlink() or not HISTORY.fullmatch(name)}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
