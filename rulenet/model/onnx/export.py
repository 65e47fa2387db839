"""ψ as one ONNX file, in 32-bit floats or with 8-bit products, compared with PyTorch before it is used.

Imports model and below; onnx and torch late. MiniLM on AG News, texts per second of one core: PyTorch 59, ONNX Runtime 66 in floats
and 129 in 8 bits (PyTorch in bfloat16: 99), all in batches of 1,024 word pieces. The attention of a layer is one operator.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rulenet.base.extras import need
from rulenet.base.files import write_file
from rulenet.base.types import Array
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
        Texts it was compared on; 0 if none were given, and then what follows says nothing.
    changed
        Share of these whose answer is another than PyTorch's.
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
        """Accuracy lost; without labels, the share of changed answers, which no loss can exceed."""
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
    texts
        To compare on: ones the model was not trained on, and enough of them; with fewer than 1 / `max_loss`, one changed answer is too
        many. None: ``"auto"`` is ``"fp32"``, which is compared on random inputs.
    y
        Their class indices; without, changed answers are counted.
    precision
        ``"auto"``: 8 bits, or floats if those cost too much.
    max_loss
        Share of the texts.
    n_jobs
        Threads, as joblib counts; None: all that this process may use.

    Raises
    ------
    ExportError
        If the model has no ψ, ψ cannot be expressed in ONNX, or costs too much; the message says how much.
    ParameterError
        If a parameter cannot be used.
    MissingExtraError
        If the extra ``onnx`` is not installed.
    """
    if not 0 <= max_loss < 1:
        raise ParameterError(f"max_loss={max_loss!r} is not a share of the texts, such as 0.002")
    candidates = _candidates(precision, bool(texts))
    if hybrid.psi is None or not hybrid.is_neural:
        raise ExportError("this model has no neural part that has a say, so there is nothing to speed up")
    psi = in_torch(hybrid.psi)
    exact, texts = to_onnx(psi), texts or []
    phi = hybrid.weights.logits(hybrid.features.transform(texts))
    rows = psi.encoder.encode(texts)
    before = psi.predict(rows, phi, device="cpu")
    too_dear = []
    for wanted in candidates:
        engine = _engine(psi, exact, wanted, n_jobs)
        after = engine.predict(rows, phi)
        report = _compare(hybrid, phi, before, after, y, wanted, len(engine.graph))
        if report.loss <= max_loss:
            return replace(hybrid, psi=engine), report
        what = "of the answers changed" if y is None else "of accuracy lost"
        too_dear.append(f"{wanted}: {report.loss:.2%} {what}")
    raise ExportError(
        f"refused, as max_loss={max_loss:.2%} of {len(texts)} texts: {'; '.join(too_dear)}. "
        "Allow more, pass more texts, or use precision='fp32'"
    )


def _candidates(precision: str, has_texts: bool) -> list[Precision]:
    """What to try, the fastest first."""
    found: dict[str, list[Precision]] = {"auto": ["int8", "fp32"], "fp32": ["fp32"], "int8": ["int8"]}
    if precision not in found:
        raise ParameterError(f"precision={precision!r} is not 'auto', 'fp32' or 'int8'")
    if has_texts:
        return found[precision]
    if precision == "int8":
        raise ParameterError(
            "precision='int8' needs texts on which it is compared with the original; pass some it has not seen"
        )
    return ["fp32"]


def export_onnx(psi: Psi, path: str | os.PathLike[str], *, precision: Precision = "fp32") -> None:
    """Write ψ as one ONNX file: ``ids`` and ``mask`` (n_texts, length) and ``phi`` (n_texts, n_classes) → ``psi`` (n_texts, n_classes).

    `phi` is before its scale, and so is ψ. `with_onnx` compares on texts first; this does not, beyond a few random inputs.

    Raises
    ------
    ExportError
        If ψ cannot be expressed in ONNX, or the file cannot be written.
    MissingExtraError
        If the extra ``onnx`` is not installed.
    """
    graph = _engine(psi, to_onnx(psi), precision, None).graph
    try:
        write_file(Path(path), graph)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}") from error


def to_onnx(psi: Psi) -> Any:
    """ψ as an `onnx.ModelProto` in 32-bit floats, checked against PyTorch on random inputs of several shapes."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        need(module, purpose="exporting a model")
    if getattr(psi.encoder, "long_texts", "head") == "chunks":
        raise ExportError(
            "ψ reads long texts in chunks, which the ONNX form cannot; train with long_texts='head_tail' instead"
        )
    was_training = psi.training
    psi.eval().to("cpu")
    try:
        model = _traced(psi)
        _check_shapes(psi, model)
    finally:
        psi.train(was_training)
    return model


def _traced(psi: Psi) -> Any:
    import torch

    ids, mask, phi = _example(psi, n_texts=3, length=min(12, psi.encoder.max_length), seed=0)
    n_texts = torch.export.Dim("n_texts", min=1)
    length = torch.export.Dim("length", min=2, max=max(psi.encoder.max_length, 3))
    try:
        with _fused_attention(psi.body), _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(
                psi, (ids, mask, phi), dynamo=True, opset_version=OPSET, external_data=False, verbose=False,
                input_names=[name for name, _, _ in INPUTS], output_names=[OUTPUT],
                dynamic_shapes=({0: n_texts, 1: length}, {0: n_texts, 1: length}, {0: n_texts}),
            )  # fmt: skip
    except Exception as error:
        # The exporter passes on whatever stops it in the model's code.
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        kind = getattr(psi.body.config, "model_type", "transformer")
        raise ExportError(f"torch cannot express this {kind} encoder in ONNX: {reason[0]}") from error
    model = program.model_proto
    # What the exporter notes beside the graph are the places of source files on this machine.
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    for tensor in model.graph.initializer:
        tensor.ClearField("metadata_props")
    return model


def _engine(psi: Psi, exact: Any, precision: Precision, n_jobs: int | None) -> OnnxPsi:
    """ψ at a precision, from its exact graph."""
    model = type(exact)()
    model.CopyFrom(exact)
    if precision == "int8":
        to_int8(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "precision", precision
    try:
        graph = model.SerializeToString()
    except ValueError as error:
        raise ExportError("this encoder is too large for one ONNX file, which holds 2 GB") from error
    n_classes = psi.from_text.out_features
    # partial, not lambda: the engine must pickle.
    return OnnxPsi(
        graph, psi.encoder, n_classes=n_classes, bound=psi.bound, original=partial(in_torch, psi), n_jobs=n_jobs
    )


def _check_shapes(psi: Psi, model: Any) -> None:
    """Compare with PyTorch on random word pieces: one text and several, short and as long as they come."""
    import torch

    session = _engine(psi, model, "fp32", None).session
    for n_texts, length in ((1, 2), (3, 7), (2, psi.encoder.max_length)):
        inputs = _example(psi, n_texts=n_texts, length=length, seed=length)
        with torch.inference_mode():
            expected = psi(*inputs).numpy()
        found = session.run([OUTPUT], {name: x.numpy() for (name, _, _), x in zip(INPUTS, inputs, strict=True)})[0]
        gap = float(np.abs(found - expected).max())
        if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise ExportError(
                f"ONNX Runtime and PyTorch disagree by {gap:.2g} logits on {n_texts} texts of {length} word pieces; "
                "this encoder cannot be exported"
            )


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
    answers = [hybrid.link.answer(hybrid.phi_scale * phi + hybrid.psi_scale * psi) for psi in (before, after)]
    right = [None if y is None else float(np.mean(answer == y)) for answer in answers]
    return ExportReport(
        precision=precision,
        bytes=size,
        n_texts=len(phi),
        changed=float(np.mean(answers[0] != answers[1])),
        accuracy=right[1],
        accuracy_before=right[0],
        largest_difference=float(hybrid.psi_scale * np.abs(after - before).max()),
    )


@contextlib.contextmanager
def _fused_attention(body: Any) -> Iterator[None]:
    """Let the body's attention be traced as one operator of ONNX Runtime, where its code leaves the choice of attention open."""
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
    """softmax(Q Kᵀ · scaling + mask) V, as `transformers` wants it: heads (B, n_heads, L, D) → (B, L, n_heads, D)."""
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
    found = torch.onnx.ops.symbolic(
        f"{CONTRIB}::MultiHeadAttention",
        inputs,
        {"num_heads": n_heads, "scale": float(width**-0.5 if scaling is None else scaling)},
        dtype=query.dtype,
        shape=(n_texts, length, n_heads * width),
        version=1,
    )
    return found.reshape(n_texts, length, n_heads, width), None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's notes on other packages and on names of axes; what stops it still comes through."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
