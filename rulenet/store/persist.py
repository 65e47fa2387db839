"""Fitted parts ⇄ a folder of JSON, YAML and safetensors. Loading runs no code, whoever wrote the folder.

Imports model and below, and manifest; torch only where a model has an encoder. The number of the format is in manifest.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from functools import partial
from operator import methodcaller
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy

from rulenet.base.extras import need
from rulenet.base.files import sync
from rulenet.base.version import __version__
from rulenet.errors import ModelFileError, RuleNetError
from rulenet.features.blocks import Features
from rulenet.model.device import choose_device
from rulenet.model.hybrid import HeldOut, Hybrid
from rulenet.model.onnx.engine import OnnxPsi
from rulenet.model.phi import Weights
from rulenet.rules.ruleset import RuleSet
from rulenet.store.manifest import (
    ONNX_FILE,
    PROTOCOL,
    EncoderEntry,
    HeldOutEntry,
    ModelConfig,
    Vocabulary,
    check_files,
    check_target,
    entries,
    read_config,
    read_json,
    validated,
)
from rulenet.training.recipe import Recipe

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder
    from rulenet.model.psi import Psi

_TRIES = 5
# Entries of a transformer's config, at any depth, that name code or places to fetch things from.
_UNSAFE = ("auto_map", "attn_implementation", "_attn_implementation", "_attn_implementation_internal", "_name_or_path", "name_or_path",
           "quantization_config", "custom_pipelines", "_experts_implementation", "backbone", "use_pretrained_backbone",
           "use_timm_backbone")  # fmt: skip


def save_model(
    path: str | os.PathLike[str], hybrid: Hybrid, *, labels: Any, recipe: Recipe, report: dict[str, Any],
    cascade: str = "off", cascade_risk: float = 0.005,
) -> None:  # fmt: skip
    """Write a model folder; under its final name it is complete or not there.

    Raises
    ------
    ModelFileError
        If `path` exists and is not a model folder, or cannot be written.
    """
    target = check_target(path)
    work = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
        _write(work, hybrid, labels, recipe, report, {"cascade": cascade, "cascade_risk": cascade_risk})
        _replace(work, target)
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelFileError(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _beside(target: Path) -> Path:
    """An unused name in the same folder. Not mkdtemp: its folders are for the owner only, models are for those who serve them."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}")


def _write(
    folder: Path, hybrid: Hybrid, labels: Any, recipe: Recipe, report: dict[str, Any], settings: dict[str, Any]
) -> None:
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
    held_out = None
    if hybrid.held_out is not None:
        held_out = HeldOutEntry(is_stale=hybrid.held_out.is_stale)
        arrays = {name: np.asarray(getattr(hybrid.held_out, name)) for name in ("phi", "psi", "y")}
        safetensors.numpy.save_file(arrays, folder / "held_out.safetensors")
    names = np.asarray(labels).tolist()
    config = ModelConfig(
        protocol=PROTOCOL, rulenet=__version__, labels=names, label_type=type(names[0]).__name__,  # type: ignore[arg-type]
        language=features.language, recipe=recipe.to_dict(), phi_scale=hybrid.phi_scale, psi_scale=hybrid.psi_scale,
        has_rules=features.ruleset is not None, encoder=encoder, held_out=held_out, report=report, files=entries(folder),
        **settings,
    )  # fmt: skip
    _write_json(folder / "config.json", config.model_dump())
    mode = (folder / "config.json").stat().st_mode & 0o777
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(mode)  # safetensors makes files that only their owner can read
        sync(file)


def _write_psi(folder: Path, psi: Any) -> EncoderEntry:
    from safetensors.torch import save_file

    if isinstance(psi, OnnxPsi):
        (folder / ONNX_FILE).parent.mkdir()
        (folder / ONNX_FILE).write_bytes(psi.graph)
        psi = psi.original
    encoder = psi.encoder
    (folder / "encoder").mkdir()
    _write_json(folder / "encoder/config.json", _without_unsafe(encoder.model.config.to_dict()))
    encoder.tokenizer.save(str(folder / "encoder/tokenizer.json"))
    save_file(
        {name: value.detach().cpu().contiguous().clone() for name, value in psi.body.state_dict().items()},
        folder / "encoder/model.safetensors",
    )
    save_file(
        {name: value.detach().cpu().contiguous() for name, value in psi.head_state().items()},
        folder / "head.safetensors",
    )
    return EncoderEntry(
        name=encoder.name, pad_id=encoder.pad_id, max_length=encoder.max_length, bound=psi.bound,
        long_texts=encoder.long_texts, max_chunks=encoder.max_chunks, pooling=encoder.traits.pooling,
        prefix=encoder.traits.prefix,
    )  # fmt: skip


def _replace(work: Path, target: Path) -> None:
    """Put a finished folder under its final name; the older model goes only when the new one is there."""
    if not target.exists():
        os.replace(work, target)
    else:
        old = _beside(target)
        os.replace(target, old)
        try:
            os.replace(work, target)
        except BaseException:
            os.replace(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync(target.parent)


def _write_json(path: Path, data: Any) -> None:
    # numpy's numbers, as they come from a grid of parameters, know how to become Python's.
    text = json.dumps(data, ensure_ascii=False, indent=1, default=methodcaller("item"))
    path.write_text(text, encoding="utf-8")


# ---------------------------------------------------------------------- loading


def load_model(
    path: str | os.PathLike[str], *, device: str = "auto", n_jobs: int | None = None
) -> tuple[Hybrid, Any, Recipe, ModelConfig]:
    """Read a model folder.

    On a CPU, ψ is read from the folder's ONNX file if it has one and onnxruntime is installed; else from its weights, into PyTorch.

    Parameters
    ----------
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``: where ψ will run.
    n_jobs
        Threads of ONNX Runtime, as joblib counts; None: all that this process may use.

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
    for _ in range(_TRIES):
        config = read_config(folder)
        try:
            model = _read_model(folder, config, device, n_jobs)
        except ModelFileError:
            if read_config(folder) == config:
                raise
        else:
            if read_config(folder) == config:
                return model
        # Someone put another model in its place meanwhile: what was read may be half of each.
    raise ModelFileError(f"{folder} was replaced {_TRIES} times while it was read; try again")


def _read_model(
    folder: Path, config: ModelConfig, device: str, n_jobs: int | None
) -> tuple[Hybrid, Any, Recipe, ModelConfig]:
    check_files(folder, config)
    try:
        recipe = Recipe.from_dict(config.recipe)
        ruleset = RuleSet.load(folder / "rules.yaml") if config.has_rules else None
    except (RuleNetError, TypeError, ValueError) as error:
        raise ModelFileError(f"{folder}: {error}") from error
    features, weights = _read_phi(folder, config, recipe, ruleset)
    psi: Any = None
    if (entry := config.encoder) is not None:
        fast = ONNX_FILE in config.files and importlib.util.find_spec("onnxruntime") and choose_device(device) == "cpu"
        psi = _read_onnx(folder, entry, config, recipe, n_jobs) if fast else _read_psi(folder, entry, config, recipe)
    held_out = _read_held_out(folder, config)
    hybrid = Hybrid(features, weights, psi, config.phi_scale, config.psi_scale, held_out)
    return hybrid, np.array(config.labels), recipe, config


def _read_phi(folder: Path, config: ModelConfig, recipe: Recipe, ruleset: RuleSet | None) -> tuple[Features, Weights]:
    vocabulary = validated(Vocabulary, read_json(folder / "vocabulary.json"), folder / "vocabulary.json")
    coef, bias, idf = _read_arrays(folder / "phi.safetensors", ("coef", "bias", "idf"))
    features = Features(
        ruleset,
        language=config.language,
        tfidf=recipe.columns.tfidf,
        pos=recipe.columns.pos,
        ngram_range=recipe.columns.ngram_range,
        words=vocabulary.words,
    )
    n_terms = len(vocabulary.terms) if features.terms is not None else 0
    n_columns = features.n_rules + n_terms + (len(features.pos.names) if features.pos else 0)
    n_labels = len(config.labels)
    if coef.shape != (n_columns, n_labels) or bias.shape != (n_labels,) or idf.shape != (n_terms,):
        raise ModelFileError(
            f"{folder}: weights of shape {coef.shape}, {bias.shape} and {idf.shape} do not fit "
            f"{n_columns} columns, {n_labels} labels and {n_terms} terms"
        )
    if not all(np.isfinite(array).all() for array in (coef, bias, idf)):
        raise ModelFileError(f"{folder}/phi.safetensors holds weights that are no numbers")
    if features.terms is not None:
        features.terms.restore(vocabulary.terms, idf)
    return features, Weights(coef.astype(np.float64), bias.astype(np.float64))


def _read_arrays(file: Path, names: tuple[str, ...]) -> list[Any]:
    try:
        tensors = safetensors.numpy.load_file(file)
        return [tensors[name] for name in names]
    except (safetensors.SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        # AttributeError: safetensors knows 8-bit floats, numpy does not.
        raise ModelFileError(f"{file} cannot be read: {error}") from error


def _read_held_out(folder: Path, config: ModelConfig) -> HeldOut | None:
    if config.held_out is None:
        return None
    file, n_labels = folder / "held_out.safetensors", len(config.labels)
    phi, psi, y = _read_arrays(file, ("phi", "psi", "y"))
    if y.ndim != 1 or not phi.shape == psi.shape == (*y.shape, n_labels):
        shapes = f"{phi.shape}, {psi.shape} and {y.shape}"
        raise ModelFileError(f"{file}: arrays of shape {shapes} do not fit {n_labels} labels")
    are_logits = all(array.dtype.kind == "f" and np.isfinite(array).all() for array in (phi, psi))
    if not are_logits or y.dtype.kind != "i" or not ((y >= -1) & (y < n_labels)).all():
        raise ModelFileError(f"{file} holds logits or labels that cannot be")
    return HeldOut(phi.astype(np.float64), psi.astype(np.float64), y.astype(np.intp), config.held_out.is_stale)


def _read_onnx(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe, n_jobs: int | None) -> OnnxPsi:
    need("tokenizers", purpose="A model with an encoder")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "encoder/tokenizer.json"))
    except Exception as error:
        # tokenizers raises plain Exception.
        raise ModelFileError(f"{folder}/encoder/tokenizer.json cannot be read: {error}") from error
    body = SimpleNamespace(config=SimpleNamespace())  # the weights are in the graph
    try:
        return OnnxPsi(
            (folder / ONNX_FILE).read_bytes(), _new_encoder(body, tokenizer, entry), n_classes=len(config.labels),
            bound=entry.bound, original=partial(_read_original, folder.resolve(), entry, config, recipe), n_jobs=n_jobs,
        )  # fmt: skip
    except ModelFileError as error:
        raise ModelFileError(f"{folder}/{ONNX_FILE}: {error}") from error


def _read_original(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe) -> Psi:
    """The weights beside an ONNX file, maybe long after that was read."""
    if read_config(folder).files != config.files:
        raise ModelFileError(f"{folder} has changed since the model was loaded from there; load it again")
    check_files(folder, config)
    return _read_psi(folder, entry, config, recipe)


def _new_encoder(body: Any, tokenizer: Any, entry: EncoderEntry) -> Encoder:
    from rulenet.model.encoders.encoder import Encoder, Traits

    return Encoder(
        body, tokenizer, name=entry.name, pad_id=entry.pad_id, max_length=entry.max_length,
        long_texts=entry.long_texts, max_chunks=entry.max_chunks, traits=Traits(pooling=entry.pooling, prefix=entry.prefix),
    )  # fmt: skip


def _read_psi(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe) -> Psi:
    need("torch", purpose="A model with an encoder")
    need("transformers", purpose="A model with an encoder")
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    from rulenet.model.psi import Psi

    settings = read_json(folder / "encoder/config.json")
    unsafe = sorted({key for key in _keys(settings) if key in _UNSAFE})
    if not isinstance(settings, dict) or unsafe:
        raise ModelFileError(
            f"{folder}/encoder/config.json: {', '.join(unsafe) or 'not a mapping'} is not allowed in a saved model"
        )
    try:
        tokenizer = Tokenizer.from_file(str(folder / "encoder/tokenizer.json"))
        state, head = (load_file(folder / name) for name in ("encoder/model.safetensors", "head.safetensors"))
        if any(bool(tensor.isnan().any()) for tensor in (*state.values(), *head.values())):
            raise ValueError("weights that are no numbers")
        body = _build_body(settings, state)
        if entry.pad_id >= body.get_input_embeddings().num_embeddings:
            raise ValueError(f"pad_id {entry.pad_id} is no word piece of the encoder")
        psi = Psi(
            _new_encoder(body, tokenizer, entry), len(config.labels), bound=entry.bound, dropout=recipe.head.dropout
        )
        missing, unexpected = psi.load_state_dict(head, strict=False)
        odd = [name for name in missing if not name.startswith("body.")] + list(unexpected)
        if odd:
            raise ValueError(f"head.safetensors lacks or adds {', '.join(odd)}")
    except Exception as error:
        # tokenizers raises plain Exception, torch RuntimeError, transformers whatever its config code meets.
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelFileError(f"{folder}: the encoder cannot be read: {reason[0]}") from error
    return psi.eval()


def _build_body(settings: dict[str, Any], state: dict[str, Any]) -> Any:
    """A transformer with these weights. It is first drawn up without memory, so that absurd sizes fail before they are allocated."""
    import torch
    from transformers import AutoConfig, AutoModel

    from rulenet.model.encoders.hub import quiet_transformers

    with quiet_transformers():
        config = AutoConfig.for_model(**settings)
        if getattr(config, "num_hidden_layers", 0) > len(state):
            raise ValueError("config.json has more layers than there are weights")
        for device in ("meta", "cpu"):
            with torch.device(device):
                body = AutoModel.from_config(config, trust_remote_code=False, attn_implementation="sdpa").float()
            if hasattr(body, "pooler") and not any(name.startswith("pooler.") for name in state):
                body.pooler = None
            shapes = {name: value.shape for name, value in body.state_dict().items()}
            if shapes != {name: value.shape for name, value in state.items()}:
                raise ValueError("the weights do not fit config.json")
    body.load_state_dict(state)
    return body


def _keys(value: Any) -> Iterator[str]:
    """Every key of nested mappings."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(part)


def _without_unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_unsafe(part) for key, part in value.items() if key not in _UNSAFE}
    return [_without_unsafe(part) for part in value] if isinstance(value, list) else value
