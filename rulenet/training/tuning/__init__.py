"""Which weights of the encoder are trained, and how: parts of a recipe."""

from rulenet.training.tuning.bias_only import BiasOnly
from rulenet.training.tuning.frozen import Frozen
from rulenet.training.tuning.full import Full
from rulenet.training.tuning.lora import LoRA
from rulenet.training.tuning.soft_prompt import SoftPrompt

__all__ = ["BiasOnly", "Frozen", "Full", "LoRA", "SoftPrompt"]
