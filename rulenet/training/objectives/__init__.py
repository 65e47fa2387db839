"""What training makes small: `Supervised` and what stands before or beside it. Recipes are read without torch."""

from rulenet.training.objectives.consistency import Consistency
from rulenet.training.objectives.contrast import Contrastive
from rulenet.training.objectives.denoising import Denoising
from rulenet.training.objectives.masked_lm import MaskedLM
from rulenet.training.objectives.pseudo_labels import PseudoLabels
from rulenet.training.objectives.simcse import SimCSE
from rulenet.training.objectives.supervised import Supervised

__all__ = ["Consistency", "Contrastive", "Denoising", "MaskedLM", "PseudoLabels", "SimCSE", "Supervised"]
