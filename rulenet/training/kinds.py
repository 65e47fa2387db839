"""The kinds of objectives, tunings and augmentations that a stored recipe may name, and the way from and to JSON.

Imports objectives, tunings and augmentations; no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rulenet.errors import ParameterError
from rulenet.training.augment.augmentation import Augmentation, ForeignAugmentation
from rulenet.training.augment.mixup import Mixup
from rulenet.training.augment.swap import Swap
from rulenet.training.augment.synonyms import Synonyms
from rulenet.training.augment.token_dropout import TokenDropout
from rulenet.training.objectives.consistency import Consistency
from rulenet.training.objectives.contrast import Contrastive
from rulenet.training.objectives.denoising import Denoising
from rulenet.training.objectives.masked_lm import MaskedLM
from rulenet.training.objectives.objective import Foreign, Objective
from rulenet.training.objectives.pseudo_labels import PseudoLabels
from rulenet.training.objectives.simcse import SimCSE
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.parts import fields_of
from rulenet.training.tuning.bias_only import BiasOnly
from rulenet.training.tuning.frozen import Frozen
from rulenet.training.tuning.full import Full
from rulenet.training.tuning.lora import LoRA
from rulenet.training.tuning.soft_prompt import SoftPrompt
from rulenet.training.tuning.tuning import Tuning

OBJECTIVES: tuple[type[Objective], ...] = (
    Supervised,
    Contrastive,
    MaskedLM,
    SimCSE,
    Denoising,
    PseudoLabels,
    Consistency,
)
TUNINGS: tuple[type[Tuning], ...] = (Full, Frozen, LoRA, SoftPrompt, BiasOnly)
AUGMENTATIONS: tuple[type[Augmentation], ...] = (TokenDropout, Swap, Synonyms, Mixup)


def stored(given: Any) -> dict[str, Any]:
    """For JSON: its kind and its fields."""
    return (
        given.stored
        if isinstance(given, Foreign | ForeignAugmentation)
        else {"kind": type(given).__name__, **fields_of(given)}
    )


def restored(values: Any, kinds: tuple[type[Any], ...]) -> Any:
    """A tuning, objective or augmentation from its stored form; but for tunings, one that is not rulenet's own is kept as it was stored."""
    if not isinstance(values, Mapping) or "kind" not in values:
        raise ParameterError(f"{values!r} should be a mapping with a 'kind'")
    known = {kind.__name__: kind for kind in kinds}
    if values["kind"] in known:
        return made_of(known[values["kind"]], {name: value for name, value in values.items() if name != "kind"})
    if kinds is not TUNINGS:
        return (Foreign if kinds is OBJECTIVES else ForeignAugmentation)(dict(values))
    raise ParameterError(f"kind={values['kind']!r} should be {' or '.join(map(repr, known))}")


def made_of(kind: Any, values: Any) -> Any:
    """A part from its fields."""
    if not isinstance(values, Mapping):
        raise ParameterError(f"{values!r} should be a mapping of the fields of {kind.__name__}")
    return kind(**values)
