"""A folder with a model saved by `transformers`, or a name on the Hugging Face hub. Imports transformers, late."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rulenet.errors import EncoderError
from rulenet.model.encoders.allowed import check_tokenizer, is_failure, settings_to_save
from rulenet.model.encoders.encoder import Body, Pooling, Traits
from rulenet.model.encoders.source import Source

# Models whose layers are known to be a plain stack between embeddings and last_hidden_state.
STACKS = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
IN_A_FOLDER = "The folder must contain config.json, model.safetensors and tokenizer files, as transformers writes them."
# E5 models were trained with a word before each text that says what it is for; their settings do not say so.
_E5 = re.compile(r"(?:^|[/\\]|--)(?:multilingual-)?e5-(?:small|base|large)(?:-v2)?(?:[/\\]|$)")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "spm.model")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
OFFLINE = "If this machine is offline, pass a folder with the downloaded model."


def read_body(location: str, name: str) -> Body:
    """The body and tokenizer of a folder or hub name; `name` is what errors call it.

    Loading runs no code of the model's author: no remote code, weights from safetensors only.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer, PretrainedConfig

    local = Path(location).is_dir()
    if local:
        _check_folder(Path(location), name)
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
    try:
        with quiet_transformers():
            # Before anything is built from it.
            settings_to_save(AutoConfig.from_pretrained(location, **options).to_dict())
            given, _ = PretrainedConfig.get_config_dict(location, **options)
            tokenizer = AutoTokenizer.from_pretrained(location, use_fast=True, **options)
            # Naming the attention keeps a config from naming one that would be fetched from the hub.
            model = AutoModel.from_pretrained(location, use_safetensors=True, attn_implementation="sdpa", **options)
    except BaseException as error:
        # transformers raises OSError, ValueError, KeyError, SafetensorError …, all meaning: cannot be loaded.
        if not is_failure(error):
            raise
        hint = IN_A_FOLDER if local else OFFLINE
        raise EncoderError(f"encoder {name!r} cannot be loaded: {_first_line(error)}. {hint}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise EncoderError(f"encoder {name!r} has no fast tokenizer (tokenizer.json); choose another encoder.")
    try:
        check_tokenizer(json.loads(tokenizer.backend_tokenizer.to_str()), model.get_input_embeddings().num_embeddings)
    except ValueError as error:
        raise EncoderError(f"encoder {name!r} is of a kind that is not supported: {error}. Choose another.") from None
    if hasattr(model, "pooler"):
        model.pooler = None  # nothing reads it
    is_stack = getattr(model.config, "model_type", "") in STACKS
    is_e5 = any(_E5.search(str(known)) for known in (location, given.get("_name_or_path")))
    pooling: Pooling = "unit" if is_e5 else "mean"
    traits = Traits(
        frozen_layers=max(Traits.frozen_layers, getattr(model.config, "num_hidden_layers", 0) // 2), pooling=pooling,
        can_split=is_stack, can_mask=tokenizer.mask_token_id is not None, prefix="query: " if is_e5 else "",
        few_ratio=16.0 if is_e5 else Traits.few_ratio,
    )  # fmt: skip
    return Body(model.float(), tokenizer.backend_tokenizer, tokenizer.pad_token_id or 0, traits)


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers' progress bars and notes on unused heads; errors still come through."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()


def check(name: str) -> None:
    """Refuse a folder without a config, and a name that the hub does not have or that cannot be reached; torch is not needed."""
    if Path(name).is_dir():
        _check_folder(Path(name), name)
        return
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        hf_hub_download(name, "config.json")
    except Exception as error:  # of many kinds, all meaning: not found
        is_away = isinstance(error, LocalEntryNotFoundError)
        reason = "it is not on this machine, and the hub cannot be reached" if is_away else _first_line(error)
        raise EncoderError(f"encoder {name!r} cannot be loaded: {reason}. {OFFLINE}") from error


def _check_folder(folder: Path, name: str) -> None:
    """Refuse a folder in which a file is missing or is no JSON; transformers would make up a tokenizer that knows nothing."""
    refused = f"encoder {name!r} cannot be loaded"
    wanted = {"config.json": ("config.json",), "tokenizer (tokenizer.json)": _TOKENIZERS, "model.safetensors": _WEIGHTS}
    for what, files in wanted.items():
        if not any((folder / file).is_file() for file in files):
            raise EncoderError(f"{refused}: there is no {what} in this folder. {IN_A_FOLDER}")
    if odd := [path.name for path in folder.iterdir() if not path.is_file() and not path.is_dir()]:
        raise EncoderError(f"{refused}: {odd[0]} is not a regular file.")
    for file in (folder / "config.json", folder / "tokenizer.json"):
        if file.exists() and not _is_object(file):
            raise EncoderError(f"{refused}: {file.name} is damaged. {IN_A_FOLDER}")


def _is_object(file: Path) -> bool:
    """Whether a file is JSON as transformers writes it."""
    try:
        return isinstance(json.loads(file.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def files_in(folder: str | Path) -> list[Path]:
    """The files that a body and its tokenizer are read from; none if this is not a folder."""
    return [file for pattern in ("*.json", "*.safetensors", "*.txt", "*.model") for file in Path(folder).glob(pattern)]


SOURCE = Source(None, lambda wanted: read_body(wanted.name, wanted.name), check=check, files=files_in)
