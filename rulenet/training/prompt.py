"""Prompts: a masked language model is asked which label word fits a text. Imports encoders and parts; torch late.

    template "{text} It was {mask}."  →  score of label k: mean over its words of log p(word at the mask)

The answers are guesses, which φ and ψ's head learn from as from those of rules: pattern-exploiting training (Schick & Schütze 2021). So
the head starts at the verbaliser, and the model that results reads texts as any other: it needs neither template nor masked-LM head. Not
measured on real texts: neither MiniLM nor e5 comes with such a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from rulenet.base.types import Array
from rulenet.base.wording import some
from rulenet.errors import ParameterError
from rulenet.text.clean import clean
from rulenet.training.parts import Name, as_tuple, part

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder
    from rulenet.model.psi import Psi

TEXT, MASK = "{text}", "{mask}"
INSTEAD = "say what labels mean with descriptions=… of the estimator and prompt='descriptions' instead"


def _words(value: Any) -> Any:
    """A single word may stand for a list of one."""
    return as_tuple([value] if isinstance(value, str) else value)


Words = Annotated[tuple[Name, ...], BeforeValidator(_words), Field(min_length=1, max_length=1000)]


@part
class Prompt:
    """Label words, and the sentence in which an encoder with a masked-LM head is asked for them.

    Attributes
    ----------
    template
        Has ``{text}`` and ``{mask}`` once each.
    words
        For each label one or more words, each a single piece of the encoder's vocabulary.

    Examples
    --------
    >>> Prompt("{text} It was {mask}.", {"pos": ["great", "good"], "neg": "terrible"})
    Prompt(template='{text} It was {mask}.', words={'pos': ('great', 'good'), 'neg': ('terrible',)})
    """

    template: Name
    words: Annotated[dict[Name, Words], Field(min_length=2, max_length=10_000)]

    @model_validator(mode="after")
    def _asks(self) -> Prompt:
        if self.template.count(TEXT) != 1 or self.template.count(MASK) != 1:
            raise ValueError(f"template={self.template!r} should have {TEXT} and {MASK} once each")
        used = [word for words in self.words.values() for word in words]
        if twice := sorted({word for word in used if used.count(word) > 1}):
            raise ValueError(f"words={twice[0]!r} should stand once, for one label")
        return self

    def faults(self, encoder: str | None, classes: Sequence[str]) -> list[str]:
        """What labels and encoder lack for it."""
        found = [f"label {label!r} has no words" for label in classes if label not in self.words]
        if unknown := [repr(label) for label in self.words if label not in classes]:
            found.append(f"there is no label {some(unknown)}")
        if encoder in (None, "scratch") or not _has_head(str(encoder)):
            found.append(f"encoder={encoder!r} has no masked-LM head; {INSTEAD}")
        return found

    def ask(self, psi: Psi, texts: Sequence[str]) -> Array:
        """The score of each label, in the order of `words`, for each text: (n_texts, n_labels).

        Raises
        ------
        ParameterError
            If a word is no single piece, or the encoder's head does not fit.
        """
        import torch

        from rulenet.model.lm_head import LMHead, mask_piece

        encoder, mask = psi.encoder, mask_piece(psi.encoder)
        head = LMHead(encoder)
        if mask is None or not head.is_own:
            raise ParameterError(f"prompt: encoder {encoder.name!r} has no masked-LM head that fits it; {INSTEAD}")
        pieces, of = self.pieces(encoder), np.repeat(np.arange(len(self.words)), list(map(len, self.words.values())))
        rows = [self.row(encoder, text, mask) for text in texts]
        share = (of == np.arange(len(self.words))[:, None]) / np.bincount(of)[:, None]  # (n_labels, n_words)
        device, found = psi.from_phi.weight.device, np.zeros((len(texts), len(self.words)))
        head.eval().to(device)
        order, was_training = np.argsort([len(row) for row in rows], kind="stable"), psi.training
        psi.eval()
        with torch.inference_mode():
            for at in range(0, len(rows), 32):
                batch = order[at : at + 32]
                inputs, seen = encoder.pad([rows[i] for i in batch.tolist()])
                hidden = psi.read(inputs.to(device), seen.to(device)).hidden[(inputs == mask).to(device)].float()
                scores = head(hidden, psi.body.get_input_embeddings().weight).log_softmax(1)[:, pieces]
                found[batch] = scores.double().cpu().numpy() @ share.T
        psi.train(was_training)
        return found

    def pieces(self, encoder: Encoder) -> list[int]:
        """The piece of each label word, in order."""
        found = {word: _piece(encoder, word) for words in self.words.values() for word in words}
        if whole := [repr(word) for word, piece in found.items() if piece is None]:
            raise ParameterError(
                f"prompt: {some(whole)} is no single word piece of encoder {encoder.name!r}; choose another word"
            )
        return [piece for piece in found.values() if piece is not None]

    def row(self, encoder: Encoder, text: str, mask: int) -> list[int]:
        """The pieces of a text in the template; of a long one, its beginning."""
        tokenizer = encoder.tokenizer
        first, *_, last = tokenizer.encode("").ids
        before, after = self.template.split(TEXT)

        def pieces(part: str) -> list[int]:
            parts = [tokenizer.encode(own, add_special_tokens=False).ids for own in part.split(MASK)]
            return parts[0] if len(parts) == 1 else [*parts[0], mask, *parts[1]]

        start, end = pieces(before), pieces(after)
        room = max(0, encoder.max_length - len(start) - len(end) - 2)
        return [first, *start, *tokenizer.encode(clean(text), add_special_tokens=False).ids[:room], *end, last]


def checked(
    prompt: Prompt | str, encoder: str | None, classes: Sequence[str], *, has_rules: bool, has_more: bool, several: bool
) -> Prompt | str:
    """The prompt, its labels in the order of the classes; a ParameterError, before any long work, if something does not go with it."""
    faults = prompt.faults(encoder, classes) if isinstance(prompt, Prompt) else []
    if has_rules:
        faults.append("rules label texts without a label themselves: leave out one of the two")
    if not has_more:
        faults.append("it labels texts without a label, and there are none: pass unlabeled=…")
    if several:
        faults.append("it gives a text one label, and here a text may have several: leave it out")
    if faults:
        raise ParameterError(f"prompt: {'; '.join(faults)}")
    if not isinstance(prompt, Prompt):
        return prompt
    return Prompt(prompt.template, {label: prompt.words[label] for label in classes})


def _piece(encoder: Encoder, word: str) -> int | None:
    """The piece that a word is, after a space if that makes one; None if it is several, or not known."""
    unknown = encoder.tokenizer.token_to_id("[UNK]"), encoder.tokenizer.token_to_id("<unk>")
    rows = [encoder.tokenizer.encode(text, add_special_tokens=False).ids for text in (f" {word}", word)]
    return next((row[0] for row in rows if len(row) == 1 and row[0] not in unknown), None)


def _has_head(name: str) -> bool:
    """Whether an encoder has the head, or is still on the hub, so that `ask` will find out."""
    from rulenet.model.encoders.load import source_of
    from rulenet.model.lm_head import own_weights

    return not source_of(name).files(name) or own_weights(name) is not None
