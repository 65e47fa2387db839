"""Augmentations: what is changed of texts while ψ is trained on them. No torch."""

from rulenet.training.augment.mixup import Mixup
from rulenet.training.augment.swap import Swap
from rulenet.training.augment.synonyms import Synonyms
from rulenet.training.augment.token_dropout import TokenDropout

__all__ = ["Mixup", "Swap", "Synonyms", "TokenDropout"]
