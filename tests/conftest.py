"""Fixtures shared by all tests; nothing here needs a network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
# Before numpy and torch are imported. The models of the tests are so small that threads only cost time, and some tests fork,
# after which the thread pools of a process can no longer be relied on.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest

from rulenet.errors import MissingExtraError

# Processes that the tests start keep word vectors here, not in the cache of whoever runs the tests.
os.environ["RULENET_CACHE"] = tempfile.mkdtemp(prefix="rulenet-tests-")
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(autouse=True, scope="session")
def _the_same_on_every_machine() -> Iterator[None]:
    """Without bfloat16, which only some CPUs have; tests of it ask for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rulenet.model.device.has_bfloat16", lambda device: False)
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def _word_vectors_only_by_name() -> Iterator[None]:
    """Reading thousands of words takes seconds; tests of word vectors ask for those of a small encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rulenet.training.word_vectors.MOST", -1)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real data sets; only for tests marked `data`."""
    return Path(os.environ["RULENET_DATA"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests on real data, with the reason, where there is none."""
    if not os.environ.get("RULENET_DATA"):
        reason = pytest.mark.skip(reason="RULENET_DATA is not set: it names the folder of the real data sets")
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(reason)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a one-layer BERT made from a config, with a tokenizer, as `save_pretrained` writes them."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *[
            "the",
            "a",
            "goal",
            "match",
            "win",
            "lost",
            "bank",
            "oil",
            "price",
            "stock",
            "market",
            "team",
            "good",
            "bad",
            "film",
        ],
    ]
    words += [chr(code) for code in range(ord("a"), ord("z") + 1) if chr(code) != "a"] + [
        "##" + chr(c) for c in range(ord("a"), ord("z") + 1)
    ]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    folder = tmp_path_factory.mktemp("tiny-encoder")
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def e5_encoder() -> Any:
    """The embedded multilingual encoder with all of its pieces: one for all tests, as it is large. Do not train it."""
    pytest.importorskip("torch")
    from rulenet.model.encoders.e5 import file
    from rulenet.model.encoders.load import load_encoder

    try:
        file()
    except MissingExtraError as error:
        pytest.skip(str(error))
    encoder = load_encoder("e5", texts=[], max_length=64, seed=0)
    encoder.model.eval()
    return encoder
