"""config.json of a model folder: what it may say, and whether the parts that it names are those that were saved. Imports errors.

A model folder contains

    config.json    the only pointer: the present state of the model, and earlier and later ones for undo and redo
    parts/         the files that these states consist of, each named by its content: phi-0123456789abcdef.safetensors
    .lock          for those who write (see write.py); readers need no lock

A part never changes under its name. So who has read a pointer can read one whole state, and replacing the pointer is the commit.

Raise PROTOCOL when the format of the folder changes, and then:
1. read the old number too, or have `read_config` say what to do,
2. add a model of the old format to tests/store/test_manifest.py,
3. note the change in this docstring.

1: first format.
2: held_out.safetensors, onnx/psi.onnx, cascade and cascade_risk, long_texts and max_chunks of an encoder.
3: parts are named by their content, and the history is in config.json. Formats 1 and 2 are refused. The weights of an encoder are in 32,
   16 or 4 bits, each in the fewest that lose nothing (see model/encoders/bits.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rulenet.base.version import __version__
from rulenet.errors import ModelFileError
from rulenet.store.report import ReportEntry

PROTOCOL = 3
PHI_PARTS = ("rules.yaml", "phi.safetensors", "vocabulary.json")
PSI_PARTS = ("encoder.json", "tokenizer.json", "encoder.safetensors", "head.safetensors")
HELD_OUT = "held_out.safetensors"
ONNX = "psi.onnx"  # ψ again, for ONNX Runtime, if the model was exported
PARTS = (*PHI_PARTS, *PSI_PARTS, HELD_OUT, ONNX)
_PART = "|".join(rf"{Path(name).stem}-[0-9a-f]{{16}}\{Path(name).suffix}" for name in PARTS)
# What may be in a model folder: the files above, and temporary ones, which a killed writer may leave behind (see base/files.py).
_OURS = re.compile(
    rf"config\.json|\.lock|\.config\.json\.[0-9a-f]{{32}}|parts/|parts/({_PART}|\.({_PART})\.[0-9a-f]{{32}})"
)
MAX_JSON = 500_000_000
MAX_VALUES = 20_000_000  # in a JSON file
MAX_DEPTH = 40
MAX_PART = 20_000_000_000
MAX_LETTERS = 300  # of a fault
SHOWN = 8  # faults of the content of a file
SHOWN_PARTS = 50
KEPT = 100  # more states than `history` keeps


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")


_Model = TypeVar("_Model", bound=BaseModel)


class PartEntry(_Strict):
    """A part as it was saved."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=MAX_PART)


class EncoderEntry(_Strict):
    """What the files of an encoder do not say themselves."""

    name: str = Field(max_length=10_000)
    pad_id: int = Field(ge=0)
    max_length: int = Field(ge=8, le=1_000_000)
    bound: float | None = Field(gt=0, le=1e6)
    long_texts: Literal["head", "head_tail", "chunks"] = "head"
    max_chunks: int = Field(default=4, ge=1, le=1000)
    pooling: Literal["mean", "first", "unit"] = "mean"
    prefix: str = Field(default="", max_length=1000)


class HeldOutEntry(_Strict):
    """What held_out.safetensors does not say itself."""

    is_stale: bool


class SeveralEntry(_Strict):
    """How several labels per text are answered."""

    thresholds: list[Annotated[float, Field(ge=-1e15, le=1e15)]]  # of the logit of each label
    as_matrix: bool


class Vocabulary(_Strict):
    """vocabulary.json: the tokeniser's own Chinese words, and the TF-IDF terms in column order."""

    words: list[str]
    terms: list[str]

    @model_validator(mode="after")
    def _terms_differ(self) -> Vocabulary:
        if len(set(self.terms)) < len(self.terms):
            raise ValueError("a term is listed twice")
        return self


class State(_Strict):
    """One state of a model."""

    protocol: int = Field(ge=1)
    rulenet: str
    labels: list[str] | list[bool] | list[int] | list[float] = Field(min_length=2)
    label_type: Literal["str", "int", "bool", "float"]
    names: list[str] | None = None  # the labels as rules have them, if the user gave numbers for them
    language: Literal["en", "zh"]
    recipe: dict[str, Any]
    phi_scale: float = Field(ge=1e-6, le=1e6)
    psi_scale: float = Field(ge=0, le=1e6)
    has_rules: bool
    encoder: EncoderEntry | None
    held_out: HeldOutEntry | None = None
    several: SeveralEntry | None = None  # None: a text has one label
    cascade: Literal["off", "certified", "statistical"] = "off"
    cascade_risk: float = Field(default=0.005, gt=0, lt=1)
    report: ReportEntry
    parts: dict[str, PartEntry]
    made_by: Literal["save", "rules", "export", "calibrate"] = "save"
    saved: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?$")  # when, in UTC

    @property
    def label_names(self) -> list[str]:
        """The labels as rules have them."""
        return self.names or list(map(str, self.labels))

    @model_validator(mode="after")
    def _labels_agree(self) -> State:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label is listed twice")
        if {type(label).__name__ for label in self.labels} != {self.label_type}:
            raise ValueError(f"the labels are not of type {self.label_type}")
        if self.names is not None and (len(set(self.names)) < len(self.names) or len(self.names) != len(self.labels)):
            raise ValueError("the names of the labels are not as many different ones as there are labels")
        if self.several is not None and len(self.several.thresholds) != len(self.labels):
            raise ValueError("there are not as many thresholds as labels")
        return self

    def __eq__(self, other: object) -> bool:
        # Not field by field: a NaN in a report is not equal to itself. The same thing saved again is the same state.
        skip = {"made_by", "saved"}
        return isinstance(other, State) and self.model_dump_json(exclude=skip) == other.model_dump_json(exclude=skip)


class ModelConfig(State):
    """config.json: the present state, and those that undo and redo lead to, each list with the next one last."""

    undo: list[State] = Field(default=[], max_length=KEPT)
    redo: list[State] = Field(default=[], max_length=KEPT)

    @property
    def state(self) -> State:
        """The present state alone."""
        return State(**{name: getattr(self, name) for name in State.model_fields})

    @property
    def files(self) -> set[str]:
        """Names, in the folder, of the parts of all states."""
        return {part_file(*part) for state in (self, *self.undo, *self.redo) for part in state.parts.items()}


def validated(model: type[_Model], data: Any, file: Path) -> _Model:
    """Data of a JSON file in its shape, or a ModelFileError that names the fields."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}"[:MAX_LETTERS] for item in found]
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ModelFileError(f"{file}: {'; '.join(faults[:SHOWN])}{more}") from None


def read_config(folder: Path) -> ModelConfig:
    """config.json of a folder; another format is not reported as damage."""
    if not folder.is_dir():
        raise ModelFileError(f"{folder}: no such folder; a model is the folder that it was saved to")
    file = folder / "config.json"
    if not file.is_file() or file.is_symlink():
        raise ModelFileError(f"{folder}: there is no config.json, so this is not a rulenet model")
    data = read_json(file)
    protocol = data.get("protocol") if isinstance(data, dict) else None
    if type(protocol) is not int or "rulenet" not in data:
        raise ModelFileError(f"{file}: the 'protocol' number is missing, so this is not a rulenet model")
    if protocol != PROTOCOL:
        what = "Upgrade: pip install -U rulenet" if protocol > PROTOCOL else "Train the model again, into a new folder"
        raise ModelFileError(
            f"{folder}: written in format {protocol} by rulenet {str(data['rulenet'])[:MAX_LETTERS]}; "
            f"this rulenet, {__version__}, reads format {PROTOCOL}. {what}"
        )
    return validated(ModelConfig, data, file)


def read_json(path: Path) -> Any:
    """A JSON file of a sane size and depth."""
    content = read_bytes(path, MAX_JSON)
    if sum(map(content.count, (b",", b":", b"[", b"{"))) > MAX_VALUES:
        raise ModelFileError(f"{path} has more than {MAX_VALUES:,} values, which no model needs")
    try:
        data = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not JSON: {error}") from None
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [part for value in level if isinstance(value, (dict, list)) for part in _inner(value)]
    if level:
        raise ModelFileError(f"{path} is nested more than {MAX_DEPTH} deep, which no model needs")
    return data


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file in a model folder: no link, device or pipe is opened, and no file read that is too large."""
    try:
        # Without waiting, as a pipe would let the reader wait for a writer.
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ModelFileError(f"{path} is not a regular file")
            if status.st_size > limit:
                raise ModelFileError(f"{path} is larger than {limit:,} bytes, which no model needs")
            return file.read(limit)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error


def part_file(name: str, entry: PartEntry) -> str:
    """Where a part is in a model folder.

    Examples
    --------
    >>> part_file("phi.safetensors", PartEntry(sha256="0123456789abcdef" * 4, bytes=80))
    'parts/phi-0123456789abcdef.safetensors'
    """
    stem, dot, suffix = name.rpartition(".")
    return f"parts/{stem}-{entry.sha256[:16]}{dot}{suffix}"


def entries_of(parts: Mapping[str, bytes]) -> dict[str, PartEntry]:
    """What config.json says about parts with this content."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    return {name: PartEntry(sha256=sums[name], bytes=len(content)) for name, content in parts.items()}


def is_intact(file: Path, entry: PartEntry) -> bool:
    """Whether a file has the content that was saved."""
    return file.is_file() and file.stat().st_size == entry.bytes and _sha256(file) == entry.sha256


def check_parts(folder: Path, state: State) -> None:
    """Check that each part is one we know, lies in the folder, and is the one that was written; report all faults at once."""
    wanted = {"phi.safetensors", "vocabulary.json"} | ({"rules.yaml"} if state.has_rules else set())
    wanted |= set(PSI_PARTS) if state.encoder is not None else set()
    wanted |= {HELD_OUT} if state.held_out is not None else set()
    wanted |= {ONNX} & state.parts.keys() if state.encoder is not None else set()
    faults = [f"{name!r} is not a part of this model" for name in state.parts if name not in wanted]
    faults += [f"{name} is not listed in config.json" for name in sorted(wanted - state.parts.keys())]
    for name in sorted(wanted & state.parts.keys()):
        file = folder / (shown := part_file(name, state.parts[name]))
        if not file.is_file() or file.is_symlink() or file.parent.is_symlink():
            faults.append(f"{shown} is missing or a link")
        elif not is_intact(file, state.parts[name]):
            faults.append(f"{shown} is not the file that was saved (its checksum differs)")
    faults += [f"{name} does not belong to the model" for name in _foreign(folder)]
    if faults:
        more = f"; and {len(faults) - SHOWN_PARTS} more" if len(faults) > SHOWN_PARTS else ""
        reasons = "; ".join(fault[:MAX_LETTERS] for fault in faults[:SHOWN_PARTS]) + more
        raise ModelFileError(f"{folder} was refused: {reasons}. Save the model again, or get an unchanged copy")


def check_target(path: str | os.PathLike[str]) -> Path:
    """The folder a model would be written to, if it is new, empty, a model, or what an interrupted first `save` left."""
    target = Path(path).resolve()  # a link to a model still points at it afterwards
    try:
        reason = _reason_to_keep(target)
    except OSError as error:
        raise ModelFileError(f"{target} cannot be read: {error.strerror}") from error
    if reason:
        raise ModelFileError(f"{target} exists and {reason}; choose another name or remove it first")
    return target


def _reason_to_keep(target: Path) -> str:
    """Why a model must not be written here; empty if it may."""
    if not target.is_dir():
        return "is not a rulenet model (it is a file)" if target.exists() else ""
    config = _config_in(target)
    if config and config["protocol"] in (1, 2):
        return f"is a rulenet model of format {config['protocol']}, which this version does not replace"
    if foreign := next(_foreign(target), None):
        return f"is not a rulenet model (it contains {foreign})"
    if (target / "config.json").exists() and not config:
        return "is not a rulenet model (its config.json is not one of a model)"
    return ""


def _config_in(target: Path) -> dict[str, Any]:
    """config.json of a model, which may be damaged or of another version; empty if it is not one of a model."""
    try:
        data = read_json(target / "config.json")
    except ModelFileError:
        return {}
    return data if isinstance(data, dict) and {"protocol", "rulenet", "recipe"} <= data.keys() else {}


def _foreign(folder: Path) -> Iterator[str]:
    """Names of all that does not belong into a model folder. Links, devices and pipes never do."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not _is_plain(path) or not _OURS.fullmatch(f"{name}/" if path.is_dir() else name):
            yield name


def _is_plain(path: Path) -> bool:
    """Whether this is a file or a folder itself, or has just been deleted."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
