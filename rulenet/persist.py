"""Fitted parts ⇄ a folder of JSON, YAML and safetensors. Loading runs no code, whoever wrote the folder.

Raise PROTOCOL when the format changes, and then:
1. keep reading the old number here (or say in the message what to do),
2. add a small model of the old format to tests/test_persist.py,
3. note the change in this docstring.

1: first format.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import rulenet
from rulenet.errors import ModelFileError, ParameterError, RuleFileError
from rulenet.extras import need
from rulenet.features.blocks import Features
from rulenet.model.hybrid import Hybrid
from rulenet.model.phi import Weights
from rulenet.rules.ruleset import RuleSet
from rulenet.training.recipe import Recipe, recipe_from_dict

if TYPE_CHECKING:
    from rulenet.model.psi import Psi

PROTOCOL = 1
ENCODER_FILES = ("encoder/config.json", "encoder/tokenizer.json", "encoder/model.safetensors", "head.safetensors")
FILES = ("rules.yaml", "phi.safetensors", "vocabulary.json", *ENCODER_FILES)
MAX_JSON = 500_000_000
# Entries of a transformer's config that name code or places to fetch things from.
_UNSAFE = ("auto_map", "attn_implementation", "_attn_implementation", "_attn_implementation_internal", "_name_or_path", "name_or_path",
           "quantization_config", "custom_pipelines", "_experts_implementation")  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _FileEntry(_Strict):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class _EncoderEntry(_Strict):
    name: str
    pad_id: int = Field(ge=0)
    max_length: int = Field(ge=8, le=1_000_000)
    bound: float | None = Field(gt=0, default=None)


class ModelConfig(_Strict):
    """config.json of a model folder."""

    protocol: int
    rulenet: str
    labels: list[str] | list[bool] | list[int] | list[float] = Field(min_length=2)
    label_type: Literal["str", "int", "bool", "float", "object"]
    language: Literal["en", "zh"]
    recipe: dict[str, Any]
    phi_scale: float = Field(gt=0, allow_inf_nan=False)
    psi_scale: float = Field(ge=0, allow_inf_nan=False)
    has_rules: bool
    encoder: _EncoderEntry | None
    report: dict[str, Any]
    files: dict[str, _FileEntry]


def save_model(
    path: str | os.PathLike[str], hybrid: Hybrid, *, labels: Any, recipe: Recipe, report: dict[str, Any]
) -> None:
    """Write a model folder; under its final name it is complete or not there.

    Raises
    ------
    ModelFileError
        If `path` exists and is not a model folder, or cannot be written.
    """
    target = Path(path)
    if (
        target.exists()
        and not (target / "config.json").is_file()
        and not (target.is_dir() and not any(target.iterdir()))
    ):
        raise ModelFileError(f"{target} exists and is not a rulenet model; choose another name or remove it first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ModelFileError(f"{target} cannot be written: {error.strerror}") from error
    try:
        _write(work, hybrid, labels, recipe, report)
        _replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(folder: Path, hybrid: Hybrid, labels: Any, recipe: Recipe, report: dict[str, Any]) -> None:
    features = hybrid.features
    if features.ruleset is not None:
        features.ruleset.save(folder / "rules.yaml")
    idf = features.terms.idf if features.terms else np.zeros(0)
    safetensors.numpy.save_file(
        {"coef": hybrid.weights.coef, "bias": hybrid.weights.bias, "idf": np.asarray(idf)}, folder / "phi.safetensors"
    )
    terms = features.terms.names if features.terms else []
    _write_json(folder / "vocabulary.json", {"words": list(features.tokeniser.words), "terms": terms})
    encoder = None
    if hybrid.psi is not None:
        encoder = _write_psi(folder, hybrid.psi)
    labels = np.asarray(labels)
    kinds: dict[str, Literal["str", "int", "bool", "float"]] = {
        "U": "str",
        "i": "int",
        "u": "int",
        "b": "bool",
        "f": "float",
    }
    config = ModelConfig(
        protocol=PROTOCOL, rulenet=rulenet.__version__, labels=labels.tolist(), label_type=kinds.get(labels.dtype.kind, "object"),
        language=features.language, recipe=asdict(recipe), phi_scale=hybrid.phi_scale, psi_scale=hybrid.psi_scale,
        has_rules=features.ruleset is not None, encoder=encoder, report=report, files=_entries(folder),
    )  # fmt: skip
    _write_json(folder / "config.json", config.model_dump())
    for file in folder.rglob("*"):
        _sync(file)


def _write_psi(folder: Path, psi: Psi) -> _EncoderEntry:
    from safetensors.torch import save_file

    encoder = psi.encoder
    (folder / "encoder").mkdir()
    config = {key: value for key, value in encoder.model.config.to_dict().items() if key not in _UNSAFE}
    _write_json(folder / "encoder/config.json", config)
    encoder.tokenizer.save(str(folder / "encoder/tokenizer.json"))
    save_file(
        {name: value.detach().cpu().contiguous().clone() for name, value in psi.body.state_dict().items()},
        folder / "encoder/model.safetensors",
    )
    save_file(
        {name: value.detach().cpu().contiguous() for name, value in psi.head_state().items()},
        folder / "head.safetensors",
    )
    return _EncoderEntry(name=encoder.name, pad_id=encoder.pad_id, max_length=encoder.max_length, bound=psi.bound)


def _entries(folder: Path) -> dict[str, _FileEntry]:
    files = [name for name in FILES if (folder / name).is_file()]
    return {name: _FileEntry(sha256=_sha256(folder / name), bytes=(folder / name).stat().st_size) for name in files}


def _replace(work: Path, target: Path) -> None:
    """Put a finished folder under its final name."""
    old = None
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
        os.replace(target, old)
    try:
        os.replace(work, target)
    except OSError:
        if old is not None:
            os.replace(old, target)
        raise
    _sync(target.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return (
            hashlib.file_digest(handle, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else hashlib.sha256(handle.read()).hexdigest()
        )


# ---------------------------------------------------------------------- loading


def load_model(path: str | os.PathLike[str]) -> tuple[Hybrid, Any, Recipe, ModelConfig]:
    """Read a model folder.

    Returns
    -------
    tuple
        The fitted model, its labels as the user gave them, recipe and config.

    Raises
    ------
    ModelFileError
        If the folder is no model, damaged, changed, unsafe or from a newer version. Nothing in it is executed.
    """
    folder = Path(path)
    config = _read_config(folder)
    _check_files(folder, config)
    try:
        recipe = recipe_from_dict(config.recipe)
        recipe.check()
        ruleset = RuleSet.load(folder / "rules.yaml") if config.has_rules else None
    except (ParameterError, RuleFileError, TypeError) as error:
        raise ModelFileError(f"{folder}: {error}") from error
    features, weights = _read_phi(folder, config, recipe, ruleset)
    psi = _read_psi(folder, config, recipe) if config.encoder is not None else None
    labels = np.array(config.labels, dtype=object if config.label_type == "object" else None)
    return Hybrid(features, weights, psi, config.phi_scale, config.psi_scale), labels, recipe, config


def _read_config(folder: Path) -> ModelConfig:
    if not folder.is_dir():
        raise ModelFileError(f"{folder}: no such folder; a model is the folder that save() wrote")
    if not (folder / "config.json").is_file():
        raise ModelFileError(f"{folder}: there is no config.json, so this is not a rulenet model")
    data = _read_json(folder / "config.json")
    protocol = data.get("protocol") if isinstance(data, dict) else None
    if not isinstance(protocol, int):
        raise ModelFileError(f"{folder}/config.json: 'protocol' is missing, so this is not a rulenet model")
    if protocol > PROTOCOL:
        raise ModelFileError(
            f"{folder}: written in format {protocol} by rulenet {data.get('rulenet')}; this rulenet {rulenet.__version__} reads up to {PROTOCOL}. "
            "Upgrade: pip install -U rulenet"
        )
    try:
        return ModelConfig.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False)
        )
        raise ModelFileError(f"{folder}/config.json: {faults}") from None


def _check_files(folder: Path, config: ModelConfig) -> None:
    """Every file is one we know, lies in the folder, and is the one that was written; all faults at once."""
    wanted = {"phi.safetensors", "vocabulary.json"} | ({"rules.yaml"} if config.has_rules else set())
    wanted |= set(ENCODER_FILES) if config.encoder is not None else set()
    faults = [f"{name!r} is not a file of a model" for name in config.files if name not in FILES]
    faults += [f"{name} is not listed in config.json" for name in sorted(wanted - set(config.files))]
    for name, entry in config.files.items():
        file = folder / name
        if name not in FILES:
            continue
        if not file.is_file() or file.is_symlink() or file.parent.is_symlink():
            faults.append(f"{name} is missing or a link")
        elif file.stat().st_size != entry.bytes or _sha256(file) != entry.sha256:
            faults.append(f"{name} is not the file that was saved (its checksum differs)")
    known = {*config.files, "config.json"}
    present = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()}
    faults += [f"{name} does not belong to the model" for name in sorted(present - known)]
    if faults:
        raise ModelFileError(
            f"{folder} was refused: {'; '.join(faults)}. Save the model again, or get an unchanged copy"
        )


def _read_phi(folder: Path, config: ModelConfig, recipe: Recipe, ruleset: RuleSet | None) -> tuple[Features, Weights]:
    try:
        tensors = safetensors.numpy.load_file(folder / "phi.safetensors")
        vocabulary = _read_json(folder / "vocabulary.json")
        coef, bias, idf = tensors["coef"], tensors["bias"], tensors["idf"]
        words, terms = vocabulary["words"], vocabulary["terms"]
        if not all(isinstance(word, str) for word in [*words, *terms]):
            raise ValueError("words must be strings")
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{folder}: phi.safetensors or vocabulary.json cannot be read: {error}") from error
    features = Features(
        ruleset,
        language=config.language,
        tfidf=recipe.tfidf,
        pos=recipe.pos,
        ngram_range=recipe.ngram_range,
        words=words,
    )
    if features.terms is not None:
        features.terms.restore(terms, idf)
    n_columns = features.n_rules + features.n_terms + (len(features.pos.names) if features.pos else 0)
    expected = (n_columns, len(config.labels))
    if coef.shape != expected or bias.shape != expected[1:] or (features.terms and len(terms) != len(idf)):
        raise ModelFileError(
            f"{folder}: weights of shape {coef.shape} do not fit {expected[0]} columns and {expected[1]} labels"
        )
    if not (np.isfinite(coef).all() and np.isfinite(bias).all()):
        raise ModelFileError(f"{folder}: phi.safetensors holds weights that are no numbers")
    return features, Weights(coef.astype(np.float64), bias.astype(np.float64))


def _read_psi(folder: Path, config: ModelConfig, recipe: Recipe) -> Psi:
    need("torch", purpose="A model with an encoder")
    need("transformers", purpose="A model with an encoder")
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel

    from rulenet.model.encoder import Encoder, quiet_transformers
    from rulenet.model.psi import Psi

    entry = config.encoder
    assert entry is not None
    settings = _read_json(folder / "encoder/config.json")
    unsafe = [key for key in _UNSAFE if isinstance(settings, dict) and key in settings]
    if not isinstance(settings, dict) or unsafe:
        raise ModelFileError(
            f"{folder}/encoder/config.json: {', '.join(unsafe) or 'not a mapping'} is not allowed in a saved model"
        )
    try:
        tokenizer = Tokenizer.from_file(str(folder / "encoder/tokenizer.json"))
        with quiet_transformers():
            body = AutoModel.from_config(
                AutoConfig.for_model(**settings), trust_remote_code=False, attn_implementation="sdpa"
            )
        state = load_file(folder / "encoder/model.safetensors")
        if hasattr(body, "pooler") and not any(name.startswith("pooler.") for name in state):
            body.pooler = None
        body.load_state_dict(state)
        encoder = Encoder(body, tokenizer, name=entry.name, pad_id=entry.pad_id, max_length=entry.max_length)
        psi = Psi(encoder, len(config.labels), bound=entry.bound, dropout=recipe.dropout)
        missing, unexpected = psi.load_state_dict(load_file(folder / "head.safetensors"), strict=False)
        odd = [name for name in missing if not name.startswith("body.")] + list(unexpected)
        if odd:
            raise ValueError(f"head.safetensors lacks or adds {', '.join(odd)}")
    except Exception as error:
        # tokenizers raises plain Exception, torch RuntimeError, transformers whatever its config code meets.
        raise ModelFileError(f"{folder}: the encoder cannot be read: {str(error).strip().splitlines()[0]}") from error
    return psi.eval()


def _read_json(path: Path) -> Any:
    if path.stat().st_size > MAX_JSON:
        raise ModelFileError(f"{path} is larger than {MAX_JSON:,} bytes, which no model needs")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not JSON: {error}") from None
