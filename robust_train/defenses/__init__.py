"""Defenses: what makes a network robust, under one contract."""

from robust_train.defenses.adversarial_training import AdversarialTraining
from robust_train.defenses.augmentation import Augmentation
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.schedule import Ramp

__all__ = ["AdversarialTraining", "Augmentation", "Defense", "Ramp", "Step"]
