"""ψ computed by ONNX Runtime on a CPU, from one graph with encoder and head. Imports batches and numpy; never torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.cores import n_threads
from rulenet.base.extras import need
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import ModelFileError
from rulenet.model.batches import CPU_PIECES, token_budget_batches

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder
    from rulenet.model.psi import Psi

# Name, type and dimensions of what the graph reads: word pieces and mask (n_texts, length), φ (n_texts, n_classes).
INPUTS = [("ids", "tensor(int64)", 2), ("mask", "tensor(int64)", 2), ("phi", "tensor(float)", 2)]
OUTPUT = "psi"


class OnnxPsi:
    """ψ for predicting on a CPU; takes the place of `Psi`.

    Parameters
    ----------
    graph
        An ONNX file with inputs ``ids``, ``mask`` and ``phi`` and the output ``psi``.
    encoder, n_classes, bound
        As in `Psi`; the encoder's model is not used.
    original
        Returns the same ψ in PyTorch; called once, when something needs its weights: a GPU, attribution, saving.
    n_jobs
        Number of threads, with joblib's meaning of -1; None: as many as this process may use.

    Raises
    ------
    ModelFileError
        If the graph is damaged, refers to other files, or is not one of ψ.
    """

    def __init__(
        self,
        graph: bytes,
        encoder: Encoder,
        *,
        n_classes: int,
        bound: float | None,
        original: Callable[[], Psi],
        n_jobs: int | None = None,
    ) -> None:
        self.graph = graph
        self.encoder = encoder
        self.n_classes = n_classes
        self.bound = bound
        self.n_jobs = n_jobs
        self._original = original
        self._session = _new_session(graph, n_classes, n_threads(n_jobs))
        self._process = os.getpid()

    @cached_property
    def original(self) -> Psi:
        """The same ψ in PyTorch."""
        return self._original()

    @property
    def session(self) -> Any:
        """The `onnxruntime.InferenceSession`; a forked or unpickled process makes a new one, as threads are not copied."""
        if self._session is None or self._process != os.getpid():
            self._session = _new_session(self.graph, self.n_classes, n_threads(self.n_jobs))
            self._process = os.getpid()
        return self._session

    def predict(self, rows: Sequence[Sequence[int]], phi: Any, *, device: Any = "cpu") -> Array:
        """ψ of many texts, as from `Psi.predict`; on another device than a CPU, PyTorch computes it."""
        if str(device) != "cpu":
            return np.asarray(self.original.predict(rows, phi, device=device))
        psi = np.zeros((len(rows), self.n_classes))
        for batch in token_budget_batches([len(row) for row in rows], budget=CPU_PIECES):
            width = max(1, len(rows[batch[0]]))  # the first is the longest
            ids = np.full((len(batch), width), self.encoder.pad_id, dtype=np.int64)
            mask = np.zeros((len(batch), width), dtype=np.int64)
            for place, i in enumerate(batch):
                ids[place, : len(rows[i])] = rows[i]
                mask[place, : len(rows[i])] = 1
            inputs = {"ids": ids, "mask": mask, "phi": np.asarray(phi[batch], dtype=np.float32)}
            try:
                psi[batch] = self.session.run([OUTPUT], inputs)[0]
            except Exception as error:
                # onnxruntime's exceptions have no common base below Exception.
                raise ModelFileError(f"the ONNX graph fails on these texts: {error}; export the model again") from error
        return psi

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}


def _new_session(graph: bytes, n_classes: int, threads: int) -> Any:
    """A session that reads nothing but these bytes, from a graph with the inputs and outputs of ψ."""
    ort = need("onnxruntime", purpose="running a model's ONNX file")
    # A tensor kept in another file names it under the key "location"; without that word, no tensor is. Weights contain the eight
    # bytes by chance once in 10^11 models.
    if b"location" in graph:
        raise ModelFileError("the ONNX graph was refused: it refers to other files; export the model again")
    # Likewise its operators: one that repeats may never end, and no encoder has one.
    if any(operator in graph for operator in (b'"\x04Loop', b'"\x04Scan')):
        raise ModelFileError("the ONNX graph was refused: it has a loop; export the model again")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # would keep a plan for every shape of a batch
    options.log_severity_level = 4  # what matters comes as an exception
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions have no common base below Exception.
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ModelFileError(f"the ONNX graph cannot be read: {reason[0]}; export the model again") from error
    inputs = [(node.name, node.type, len(node.shape)) for node in session.get_inputs()]
    outputs = [(node.name, node.type, list(node.shape)[1:]) for node in session.get_outputs()]
    if inputs != INPUTS or outputs != [(OUTPUT, "tensor(float)", [n_classes])]:
        what = f"not one of ψ for {counted(n_classes, 'label')}: it reads {inputs} and gives {outputs}"
        raise ModelFileError(f"the ONNX graph is {what}; export the model again")
    return session


def in_torch(psi: Any) -> Psi:
    """ψ in PyTorch, whichever form a model predicts with."""
    return getattr(psi, "original", psi)  # type: ignore[no-any-return]
