"""Which parts of a recipe several labels per text go with. Imports recipe and its parts."""

from __future__ import annotations

from rulenet.errors import ParameterError
from rulenet.training.augment.mixup import Mixup
from rulenet.training.objectives.contrast import Contrastive
from rulenet.training.objectives.objective import Need
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.recipe import Recipe


def for_several(recipe: Recipe) -> Recipe:
    """The recipe without contrastive steps, which draw texts of one label together; a ParameterError for what is asked for and cannot be.

    Examples
    --------
    >>> for_several(Recipe.of(epochs=1))
    Recipe.of(contrast_steps=0, epochs=1)
    """
    steps = recipe.leaves().get("contrast_steps")
    smoothing = recipe.leaves().get("label_smoothing")
    odd = [type(one).__name__ for one in recipe.objectives if one.is_supervised or Need.OTHER_TEXTS in one.needs]
    faults = [f"the objective {name}" for name in odd if name not in (Supervised.__name__, Contrastive.__name__)]
    faults += [f"contrast_steps={steps}"] if steps else []
    faults += [f"label_smoothing={smoothing:g}"] if smoothing else []
    faults += ["the augmentation Mixup"] if any(isinstance(one, Mixup) for one in recipe.augment) else []
    if faults:
        raise ParameterError(f"recipe: {', '.join(faults)}: needs one label per text, but y has several for each")
    return recipe.with_changes(contrast_steps=0) if "contrast_steps" in recipe.leaves() else recipe
