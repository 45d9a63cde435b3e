"""Perturbation regimes: what is searched, under one contract."""

from robust_train.perturbations.base import Additive, Budgeted, Minimal, Perturbation
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.fgsm import FGSM
from robust_train.perturbations.foreign import Foreign
from robust_train.perturbations.gaussian_noise import GaussianNoise
from robust_train.perturbations.pgd import PGD
from robust_train.perturbations.random_direction import RandomDirection
from robust_train.perturbations.transformed import Transformed
from robust_train.perturbations.worst_of import WorstOf

__all__ = [
    "FGSM",
    "PGD",
    "Additive",
    "Budgeted",
    "DeepFool",
    "Foreign",
    "GaussianNoise",
    "Minimal",
    "Perturbation",
    "RandomDirection",
    "Transformed",
    "WorstOf",
]
