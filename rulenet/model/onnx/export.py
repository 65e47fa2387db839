"""ψ as one ONNX file, in 32-bit floats or with 8-bit products, compared with PyTorch before it is used.

Imports model and below; onnx and torch late. MiniLM on AG News, texts per second of one core: PyTorch 59, in
bfloat16 100, ONNX Runtime 66 in floats and 129 in 8 bits, all in batches of 1,024 word pieces. The attention of a layer is one operator.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rulenet.base.extras import need
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import ExportError, ParameterError
from rulenet.model.hybrid import Hybrid
from rulenet.model.onnx.engine import INPUTS, OUTPUT, OnnxPsi, in_torch
from rulenet.model.onnx.int8 import CONTRIB, to_int8

if TYPE_CHECKING:
    from rulenet.model.psi import Psi

Precision = Literal["fp32", "int8"]

ATTENTION = "rulenet_onnx"
OPSET = 20  # the first with GELU as one operator
TOLERANCE = 1e-3  # of ψ in logits, between PyTorch and the same in ONNX Runtime


@dataclass(frozen=True)
class ExportReport:
    """What a faster form of ψ costs.

    Attributes
    ----------
    precision
        ``"fp32"`` or ``"int8"``.
    bytes
        Size of the graph.
    n_texts
        Number of texts it was compared on; if 0, the following numbers mean nothing.
    changed
        Share of these whose answer is not PyTorch's.
    accuracy, accuracy_before
        With it and with PyTorch; None without labels.
    largest_difference
        Of any logit of ψ, scale applied.
    """

    precision: Precision
    bytes: int
    n_texts: int
    changed: float
    accuracy: float | None
    accuracy_before: float | None
    largest_difference: float

    @property
    def loss(self) -> float:
        """Accuracy lost; without labels, the share of changed answers: the loss is never greater."""
        if self.accuracy is None or self.accuracy_before is None:
            return self.changed
        return self.accuracy_before - self.accuracy

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def with_onnx(
    hybrid: Hybrid,
    texts: list[str] | None = None,
    y: Array | None = None,
    *,
    precision: str = "auto",
    max_loss: float = 0.002,
    n_jobs: int | None = None,
) -> tuple[Hybrid, ExportReport]:
    """The same model with ψ computed by ONNX Runtime on a CPU, if that costs no more accuracy than allowed.

    Parameters
    ----------
    texts, y
        Texts for the comparison, which the model was not trained on, and their class indices; without these, changed answers are counted.
        With fewer texts than 1 / `max_loss`, one changed answer is too many. None: ``"auto"`` is ``"fp32"``, compared on random inputs.
    precision
        ``"auto"``: 8 bits, or floats if those cost too much.
    max_loss
        Share of the texts.
    n_jobs
        See `OnnxPsi`.

    Raises
    ------
    ExportError
        If the model does not use ψ, or ψ cannot be expressed in ONNX or costs too much; the message says how much.
    """
    if not 0 <= max_loss < 1:
        raise ParameterError(f"max_loss={max_loss!r} is not a share of the texts, such as 0.002")
    all_candidates: dict[str, list[Precision]] = {"auto": ["int8", "fp32"], "fp32": ["fp32"], "int8": ["int8"]}
    if precision not in all_candidates:
        raise ParameterError(f"precision={precision!r} is not 'auto', 'fp32' or 'int8'")
    if precision == "int8" and not texts:
        raise ParameterError(
            "precision='int8' needs texts to compare it with PyTorch: pass some (--data) that the model has not seen"
        )
    candidates = all_candidates[precision if texts else "fp32"]  # the fastest first
    if hybrid.psi is None or not hybrid.is_neural:
        raise ExportError("this model does not use ψ, so there is nothing to speed up")
    psi = in_torch(hybrid.psi)
    exact, texts = to_onnx(psi), texts or []
    phi = hybrid.weights.logits(hybrid.features.transform(texts))
    rows = psi.encoder.encode(texts)
    before = psi.predict(rows, phi, device="cpu", exact=True)
    too_dear = []
    for wanted in candidates:
        engine = _engine(psi, exact, wanted, n_jobs)
        after = engine.predict(rows, phi)
        report = _compare(hybrid, phi, before, after, y, wanted, len(engine.graph))
        if report.loss <= max_loss:
            return replace(hybrid, psi=engine), report
        what = "of the answers changed" if y is None else "of accuracy lost"
        too_dear.append(f"{wanted}: {report.loss:.2%} {what}")
    limit = f"max_loss={max_loss:.2%} of {counted(len(texts), 'text')}"
    advice = "allow more, pass more texts, or use precision='fp32'"
    raise ExportError(f"more is lost than {limit}: {'; '.join(too_dear)}; {advice}")


def to_onnx(psi: Psi) -> Any:
    """ψ as an `onnx.ModelProto` in 32-bit floats, checked against PyTorch on random inputs of several shapes."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        need(module, purpose="exporting a model")
    if getattr(psi.encoder, "long_texts", "head") == "chunks":
        raise ExportError("ψ reads long texts in chunks, which ONNX cannot; train with long_texts='head_tail' instead")
    was_training, precision = psi.training, psi.precision
    psi.eval().to("cpu")
    psi.precision = "float32"  # or the graph would have bfloat16 in it, which ONNX Runtime cannot multiply
    try:
        model = _traced(psi)
        _check_shapes(psi, model)
    finally:
        psi.train(was_training)
        psi.precision = precision
    return model


def _traced(psi: Psi) -> Any:
    import torch

    example = _example(psi, n_texts=3, length=min(12, psi.encoder.max_length), seed=0)
    n_texts = torch.export.Dim("n_texts", min=1)
    length = torch.export.Dim("length", min=2, max=max(psi.encoder.max_length, 3))
    shapes = ({0: n_texts, 1: length}, {0: n_texts, 1: length}, {0: n_texts})
    names: dict[str, Any] = {"input_names": [name for name, _, _ in INPUTS], "output_names": [OUTPUT]}
    form: dict[str, Any] = {"opset_version": OPSET, "external_data": False, "dynamo": True, "verbose": False}
    try:
        with _fused_attention(psi.body), _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(psi, example, dynamic_shapes=shapes, **names, **form)
    except Exception as error:
        # The exporter passes on whatever stops it in the model's code.
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        kind = getattr(psi.body.config, "model_type", "transformer")
        raise ExportError(f"torch cannot express this {kind} encoder in ONNX: {reason[0]}") from error
    model = program.model_proto
    # The exporter's notes in the graph contain paths of source files on this machine.
    graph = model.graph
    named = (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for part in (model, graph, *named):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    return model


def _engine(psi: Psi, exact: Any, precision: Precision, n_jobs: int | None) -> OnnxPsi:
    """ψ at a precision, from its exact graph."""
    model = type(exact)()
    model.CopyFrom(exact)
    if precision == "int8":
        to_int8(model)
    try:
        graph = model.SerializeToString()
    except ValueError as error:
        raise ExportError("this encoder is too large for one ONNX file, which has at most 2 GB") from error
    n_classes, original = psi.from_text.out_features, partial(in_torch, psi)  # a lambda could not be pickled
    return OnnxPsi(graph, psi.encoder, n_classes=n_classes, bound=psi.bound, original=original, n_jobs=n_jobs)


def _check_shapes(psi: Psi, model: Any) -> None:
    """Compare with PyTorch on random word pieces: one text and several, short ones and the longest possible."""
    import torch

    session = _engine(psi, model, "fp32", None).session
    for n_texts, length in ((1, 2), (3, 7), (2, psi.encoder.max_length)):
        inputs = _example(psi, n_texts=n_texts, length=length, seed=length)
        with torch.inference_mode():
            expected = psi(*inputs).numpy()
        found = session.run([OUTPUT], {name: x.numpy() for (name, _, _), x in zip(INPUTS, inputs, strict=True)})[0]
        gap = float(np.abs(found - expected).max())
        if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            where = f"{counted(n_texts, 'text')} of {length} word pieces"
            raise ExportError(f"the encoder cannot be exported: ONNX Runtime is {gap:.2g} logits off on {where}")


def _example(psi: Psi, *, n_texts: int, length: int, seed: int) -> tuple[Any, Any, Any]:
    """Random word pieces of texts of falling length, their mask, and φ."""
    import torch

    rng = np.random.default_rng(seed)
    ids = rng.integers(0, psi.body.get_input_embeddings().num_embeddings, (n_texts, length))
    lengths = np.maximum(1, length - 2 * np.arange(n_texts))
    mask = (np.arange(length) < lengths[:, None]).astype(np.int64)
    ids = np.where(mask == 1, ids, psi.encoder.pad_id)
    phi = rng.normal(size=(n_texts, psi.from_text.out_features)).astype(np.float32)
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(phi)


def _compare(
    hybrid: Hybrid, phi: Array, before: Array, after: Array, y: Array | None, precision: Precision, size: int
) -> ExportReport:
    if not len(phi):
        return ExportReport(precision, size, 0, 0.0, None, None, 0.0)
    old, new = (hybrid.link.answer(hybrid.phi_scale * phi + hybrid.psi_scale * psi) for psi in (before, after))
    rights = (None if y is None else answer == y for answer in (new, old))
    accuracy, accuracy_before = (None if right is None else float(np.mean(_per_text(right))) for right in rights)
    difference = float(hybrid.psi_scale * np.abs(after - before).max())
    return ExportReport(
        precision, size, len(phi), float(np.mean(~_per_text(old == new))), accuracy, accuracy_before, difference
    )


def _per_text(same: Array) -> Array:
    """Whether all of an answer is the same, shape (n_texts,)."""
    return np.asarray(same.reshape(len(same), -1).all(axis=1))


@contextlib.contextmanager
def _fused_attention(body: Any) -> Iterator[None]:
    """Trace the body's attention as one operator of ONNX Runtime, if the body's code lets one choose the attention."""
    if not getattr(body, "_supports_sdpa", False):
        yield
        return
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(ATTENTION, _attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, sdpa_mask)
    before = body.config._attn_implementation
    body.config._attn_implementation = ATTENTION
    try:
        yield
    finally:
        body.config._attn_implementation = before


def _attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **_: Any
) -> tuple[Any, None]:
    """softmax(Q Kᵀ · scaling + mask) V, in the form that `transformers` expects: heads (B, n_heads, L, D) → (B, L, n_heads, D)."""
    import torch

    n_texts, n_heads, length, width = query.shape
    if key.shape[1] != n_heads:  # heads that share keys and values
        key, value = (x.repeat_interleave(n_heads // x.shape[1], dim=1) for x in (key, value))
    inputs = [x.transpose(1, 2).reshape(n_texts, -1, n_heads * width) for x in (query, key, value)]
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            # Far below any score, yet finite: a row of −∞ alone would have no softmax.
            attention_mask = torch.where(attention_mask, 0.0, -1e4)
        inputs += [None, None, attention_mask.to(query.dtype)]
    name, shape = f"{CONTRIB}::MultiHeadAttention", (n_texts, length, n_heads * width)
    attributes = {"num_heads": n_heads, "scale": float(width**-0.5 if scaling is None else scaling)}
    found = torch.onnx.ops.symbolic(name, inputs, attributes, dtype=query.dtype, shape=shape, version=1)
    return found.reshape(n_texts, length, n_heads, width), None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's notes on other packages and on names of axes; errors still come through."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
