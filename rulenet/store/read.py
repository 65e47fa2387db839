"""A model folder → its fitted parts. Loading runs no code from the folder and takes no lock.

Imports manifest, model and below; torch only if the model has an encoder and no ONNX form of it.
"""

from __future__ import annotations

import importlib.util
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy
from pydantic import BaseModel, Field

from rulenet.base.extras import need
from rulenet.errors import ModelFileError, RuleNetError
from rulenet.features.blocks import Features
from rulenet.model.device import choose_device
from rulenet.model.hybrid import HeldOut, Hybrid
from rulenet.model.link import ONE_OF, AnyOf
from rulenet.model.onnx.engine import OnnxPsi
from rulenet.model.phi import Weights
from rulenet.rules.reading.sources import read_text
from rulenet.rules.ruleset import RuleSet
from rulenet.store.manifest import (
    HELD_OUT,
    MAX_PART,
    ONNX,
    PSI_PARTS,
    EncoderEntry,
    ModelConfig,
    State,
    Vocabulary,
    check_parts,
    is_intact,
    part_file,
    read_bytes,
    read_config,
    read_json,
    validated,
)
from rulenet.training.recipe import Recipe

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder
    from rulenet.model.psi import Psi

_TRIES = 10
_MAX_WEIGHT = 1e15
_MAX_REASON = 2000
MAX_LIKE = 100  # terms like another
PROBES = ("", "one word, 中文 é 😀")


def load_model(
    path: str | os.PathLike[str], *, device: str = "auto", n_jobs: int | None = None
) -> tuple[Hybrid, Any, Recipe, ModelConfig]:
    """Read the fitted model in a folder, its labels as the user gave them, its recipe and its config.

    If ψ will run on a CPU, it is read from the folder's ONNX file if it has one and onnxruntime is installed, for `n_jobs` threads as
    joblib counts them; else from its weights, into PyTorch.

    Raises
    ------
    ModelFileError
        If the folder is not a model, or is damaged, changed, unsafe or from another version.
    """
    folder = Path(path)
    for _ in range(_TRIES):
        config = read_config(folder)
        try:
            return _read_model(folder, config, device, n_jobs)
        except (ModelFileError, OSError) as error:
            if read_config(folder) == config:
                if isinstance(error, ModelFileError):
                    raise
                raise ModelFileError(f"{folder} cannot be read: {error.strerror or error}") from error
        # The model was saved again meanwhile, and a part of the state before was deleted.
    raise ModelFileError(f"{folder} was replaced {_TRIES} times while it was read; try again")


def read_rules(folder: Path, state: State) -> RuleSet | None:
    """The rules of a state of a model; None if it has no rules."""
    if not state.has_rules:
        return None
    # From text, so that the file cannot include others; under its name in every folder.
    return RuleSet.from_yaml(read_text(_part(folder, state, "rules.yaml")), name=str(folder / "rules.yaml"))


def _part(folder: Path, state: State, name: str) -> Path:
    return folder / part_file(name, state.parts[name])


def _read_model(
    folder: Path, config: ModelConfig, device: str, n_jobs: int | None
) -> tuple[Hybrid, Any, Recipe, ModelConfig]:
    check_parts(folder, config)
    try:
        recipe = Recipe.from_dict(config.recipe)
        ruleset = read_rules(folder, config)
    except (RuleNetError, TypeError, ValueError) as error:
        reasons = error.lines if isinstance(error, RuleNetError) else [str(error)]
        raise ModelFileError(f"{folder}: {'; '.join(reasons)[:_MAX_REASON]}") from error
    features, weights = _read_phi(folder, config, recipe, ruleset)
    psi: Any = None
    if (entry := config.encoder) is not None:
        fast = ONNX in config.parts and importlib.util.find_spec("onnxruntime") and choose_device(device) == "cpu"
        psi = _read_onnx(folder, entry, config, recipe, n_jobs) if fast else _read_psi(folder, entry, config, recipe)
    held_out = _read_held_out(folder, config)
    several = config.several
    link = ONE_OF if several is None else AnyOf(tuple(several.thresholds), several.as_matrix)
    hybrid = Hybrid(features, weights, psi, config.phi_scale, config.psi_scale, held_out, link)
    return hybrid, np.array(config.labels), recipe, config


def _read_phi(folder: Path, config: ModelConfig, recipe: Recipe, ruleset: RuleSet | None) -> tuple[Features, Weights]:
    file = _part(folder, config, "vocabulary.json")
    vocabulary = validated(Vocabulary, read_json(file), file)
    file = _part(folder, config, "phi.safetensors")
    coef, bias, idf = _read_arrays(file, ("coef", "bias", "idf"))
    columns, n_labels = recipe.columns, len(config.labels)
    features = Features(
        ruleset, language=config.language, tfidf=columns.tfidf, pos=columns.pos, ngram_range=columns.ngram_range,
        words=vocabulary.words,
    )  # fmt: skip
    n_terms = len(vocabulary.terms) if features.terms is not None else 0
    n_columns = features.n_rules + n_terms + (len(features.pos.names) if features.pos else 0)
    if coef.shape != (n_columns, n_labels) or bias.shape != (n_labels,) or idf.shape != (n_terms,):
        raise ModelFileError(
            f"{folder}: weights of shape {coef.shape}, {bias.shape} and {idf.shape} do not fit "
            f"{n_columns} columns, {n_labels} labels and {n_terms} terms"
        )
    if not all(_are_weights(array) for array in (coef, bias, idf)):
        raise ModelFileError(f"{folder}: phi.safetensors has weights that are NaN, infinite or impossible")
    if features.terms is not None:
        features.terms.restore(vocabulary.terms, idf)
    shared, like = _read_shared(file, n_terms, n_labels)
    return features, Weights(coef.astype(np.float64), bias.astype(np.float64), shared, like=like)


def _read_shared(file: Path, n_terms: int, n_labels: int) -> tuple[Any, Any]:
    """What terms share, and with which; None for both if φ was learned without word vectors."""
    with safetensors.safe_open(file, "np") as tensors:
        if not {"shared", "like"} & set(tensors.keys()):
            return None, None
    shared, like = _read_arrays(file, ("shared", "like"))
    if shared.shape != (n_terms, n_labels) or like.ndim != 2 or like.shape[0] != n_terms or like.shape[1] > MAX_LIKE:
        raise ModelFileError(f"{file}: arrays of shape {shared.shape} and {like.shape} do not fit {n_terms} terms")
    if not _are_weights(shared) or like.dtype.kind != "i" or not ((like >= -1) & (like < n_terms)).all():
        raise ModelFileError(f"{file} says that terms share what is impossible")
    return shared.astype(np.float16), like.astype(np.int32)


def _read_arrays(file: Path, names: tuple[str, ...]) -> list[Any]:
    try:
        tensors = safetensors.numpy.load_file(file)
        return [tensors[name] for name in names]
    except (safetensors.SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        # AttributeError: safetensors knows 8-bit floats, numpy does not.
        raise ModelFileError(f"{file} cannot be read: {error}") from error


def _are_weights(array: Any) -> bool:
    """Whether all numbers are ones that solving φ or running ψ can give."""
    return array.dtype.kind == "f" and bool((np.abs(array.astype(np.float64)) <= _MAX_WEIGHT).all())


def _read_held_out(folder: Path, config: ModelConfig) -> HeldOut | None:
    if config.held_out is None:
        return None
    file, n_labels = _part(folder, config, HELD_OUT), len(config.labels)
    phi, psi, y = _read_arrays(file, ("phi", "psi", "y"))
    most, shape = (n_labels, (*y.shape, n_labels)) if config.several is None else (2, y.shape)
    if y.ndim != 2 - (config.several is None) or not phi.shape == psi.shape == shape or phi.shape[1:] != (n_labels,):
        shapes = f"{phi.shape}, {psi.shape} and {y.shape}"
        raise ModelFileError(f"{file}: arrays of shape {shapes} do not fit {n_labels} labels")
    if not _are_weights(phi) or not _are_weights(psi) or y.dtype.kind != "i" or not ((y >= -1) & (y < most)).all():
        raise ModelFileError(f"{file} has logits or labels that are impossible")
    return HeldOut(phi.astype(np.float64), psi.astype(np.float64), y.astype(np.intp), config.held_out.is_stale)


def _read_onnx(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe, n_jobs: int | None) -> OnnxPsi:
    need("tokenizers", purpose="A model with an encoder")
    file = _part(folder, config, "encoder.json")
    sizes = validated(_Sizes, read_json(file), file)
    tokenizer = _read_tokenizer(_part(folder, config, "tokenizer.json"), sizes.vocab_size, entry)
    encoder = _new_encoder(SimpleNamespace(config=sizes), tokenizer, entry)  # the weights are in the graph
    graph, original = _part(folder, config, ONNX), partial(_read_original, folder.resolve(), entry, config, recipe)
    content, n = read_bytes(graph, MAX_PART), len(config.labels)
    try:
        psi = OnnxPsi(content, encoder, n_classes=n, bound=entry.bound, original=original, n_jobs=n_jobs)
        _try_out(psi)
    except (RuleNetError, ValueError) as error:
        raise ModelFileError(f"{graph}: {error}") from error
    return psi


class _Sizes(BaseModel):
    """What an ONNX graph does not say itself, of the settings of its encoder."""

    model_type: str
    vocab_size: int = Field(ge=1, le=10_000_000)
    max_position_embeddings: int = Field(ge=1, le=10_000_000)


def _read_tokenizer(file: Path, n_pieces: int, entry: EncoderEntry) -> Any:
    """The tokenizer of an encoder whose table has this many pieces."""
    from tokenizers import Tokenizer

    from rulenet.model.encoders.allowed import check_tokenizer, is_failure

    if entry.pad_id >= n_pieces:
        raise ModelFileError(f"{file}: pad_id {entry.pad_id} is not a word piece of the encoder")
    content = read_json(file)
    try:
        check_tokenizer(content, n_pieces)
        return Tokenizer.from_file(str(file))
    except BaseException as error:
        if not is_failure(error):
            raise
        raise ModelFileError(f"{file} cannot be read: {error}") from error


def _read_original(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe) -> Psi:
    """The weights that an ONNX file was made from, maybe long after that was read."""
    if not all(is_intact(_part(folder, config, name), config.parts[name]) for name in PSI_PARTS):
        raise ModelFileError(f"{folder} has changed since the model was loaded from there; load it again")
    return _read_psi(folder, entry, config, recipe)


def _new_encoder(body: Any, tokenizer: Any, entry: EncoderEntry) -> Encoder:
    from rulenet.model.encoders.encoder import Body, Encoder, Traits

    whole = Body(body, tokenizer, entry.pad_id, Traits(pooling=entry.pooling, prefix=entry.prefix))
    long, chunks = entry.long_texts, entry.max_chunks
    return Encoder(whole, name=entry.name, max_length=entry.max_length, long_texts=long, max_chunks=chunks)


def _read_psi(folder: Path, entry: EncoderEntry, config: ModelConfig, recipe: Recipe) -> Psi:
    need("torch", purpose="A model with an encoder")
    need("transformers", purpose="A model with an encoder")
    from safetensors.torch import load_file

    from rulenet.model.encoders.allowed import check_settings
    from rulenet.model.encoders.bits import in_floats
    from rulenet.model.psi import Psi

    file, *files = (_part(folder, config, name) for name in PSI_PARTS)
    settings = read_json(file)
    try:
        check_settings(settings)
    except ValueError as error:
        raise ModelFileError(f"{file}: {error}") from None
    try:
        state, head = map(load_file, files[1:])
        state = in_floats(state)
        if not all(bool(tensor.isfinite().all()) for tensor in (*state.values(), *head.values())):
            raise ValueError("weights that are NaN or infinite")
        body = _build_body(settings, state)
        tokenizer = _read_tokenizer(files[0], body.get_input_embeddings().num_embeddings, entry)
        encoder = _new_encoder(body, tokenizer, entry)
        psi = Psi(
            encoder,
            len(config.labels),
            bound=entry.bound,
            dropout=recipe.head.dropout,
            precision=recipe.steps.precision or "float32",
        )
        missing, unexpected = psi.load_state_dict(head, strict=False)
        odd = [name for name in missing if not name.startswith("body.")] + list(unexpected)
        if odd:
            raise ValueError(f"head.safetensors lacks or adds {', '.join(odd)}")
        _try_out(psi)
    except ModelFileError:
        raise
    except Exception as error:
        # tokenizers raises plain Exception, torch RuntimeError, transformers whatever its config code meets.
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelFileError(f"{folder}: the encoder cannot be read: {reason[0]}") from error
    return psi.eval()


def _build_body(settings: dict[str, Any], state: dict[str, Any]) -> Any:
    """A transformer with these weights. It is first built without memory, so that absurd sizes fail before they are allocated."""
    import torch
    from transformers import AutoConfig, AutoModel

    from rulenet.model.encoders.hub import quiet_transformers

    with quiet_transformers():
        config = AutoConfig.for_model(**settings)
        if getattr(config, "num_hidden_layers", 0) > len(state):
            raise ValueError("encoder.json has more layers than there are weights")
        for device in ("meta", "cpu"):
            with torch.device(device):
                body = AutoModel.from_config(config, trust_remote_code=False, attn_implementation="sdpa").float()
            if hasattr(body, "pooler") and not any(name.startswith("pooler.") for name in state):
                body.pooler = None
            shapes = {name: (value.shape, value.dtype) for name, value in body.state_dict().items()}
            if shapes != {name: (value.shape, value.dtype) for name, value in state.items()}:
                raise ValueError("the weights do not fit encoder.json")
    body.load_state_dict(state)
    return body


def _try_out(psi: Any) -> None:
    """Answer a few texts, as settings and weights that are allowed one by one may still not work together."""
    answers = psi.predict(psi.encoder.encode(PROBES), np.zeros((len(PROBES), psi.n_classes)), device="cpu")
    if not np.isfinite(answers).all():
        raise ValueError("its answers are not finite")
