"""Perturbation regimes: what is searched, under one contract."""

from robust_train.perturbations.adaptive_attack import adaptive_attack
from robust_train.perturbations.apgd import APGD
from robust_train.perturbations.atn import ATN
from robust_train.perturbations.auto_attack import auto_attack
from robust_train.perturbations.base import Additive, Budgeted, Minimal, Perturbation
from robust_train.perturbations.carlini_wagner import CarliniWagner
from robust_train.perturbations.corrupted import Corrupted
from robust_train.perturbations.ddn import DDN
from robust_train.perturbations.deepfool import DeepFool
from robust_train.perturbations.eyeglasses import Eyeglasses
from robust_train.perturbations.fab import FAB
from robust_train.perturbations.feature_adversary import FeatureAdversary
from robust_train.perturbations.fgsm import FGSM
from robust_train.perturbations.fmn import FMN
from robust_train.perturbations.fooling_image import FoolingImage
from robust_train.perturbations.foreign import Foreign
from robust_train.perturbations.gaussian_noise import GaussianNoise
from robust_train.perturbations.jsma import JSMA
from robust_train.perturbations.lbfgs import LBFGS
from robust_train.perturbations.manifool import ManiFool
from robust_train.perturbations.manitest import Manitest
from robust_train.perturbations.masked import Masked
from robust_train.perturbations.occlusion import Occlusion
from robust_train.perturbations.patch import Patch
from robust_train.perturbations.pgd import PGD
from robust_train.perturbations.random_direction import RandomDirection
from robust_train.perturbations.salt_and_pepper import SaltAndPepper
from robust_train.perturbations.semirandom import Semirandom
from robust_train.perturbations.shared_vector import SharedVector
from robust_train.perturbations.sigma_zero import SigmaZero
from robust_train.perturbations.smallest import Smallest
from robust_train.perturbations.smallest_occlusion import SmallestOcclusion
from robust_train.perturbations.smallest_severity import SmallestSeverity
from robust_train.perturbations.spanned_vector import SpannedVector
from robust_train.perturbations.square import Square
from robust_train.perturbations.stabilised import Stabilised
from robust_train.perturbations.static import Static
from robust_train.perturbations.substitute import Substitute
from robust_train.perturbations.super_deepfool import SuperDeepFool
from robust_train.perturbations.transformed import Transformed
from robust_train.perturbations.uniform_noise import UniformNoise
from robust_train.perturbations.universal import Universal
from robust_train.perturbations.universal_curvature import UniversalCurvature
from robust_train.perturbations.universal_gradient import UniversalGradient
from robust_train.perturbations.universal_random import UniversalRandom
from robust_train.perturbations.universal_singular import UniversalSingular
from robust_train.perturbations.worst_of import WorstOf
from robust_train.perturbations.worst_pose import WorstPose

__all__ = [
    "APGD",
    "ATN",
    "DDN",
    "FAB",
    "FGSM",
    "FMN",
    "JSMA",
    "LBFGS",
    "PGD",
    "Additive",
    "Budgeted",
    "CarliniWagner",
    "Corrupted",
    "DeepFool",
    "Eyeglasses",
    "FeatureAdversary",
    "FoolingImage",
    "Foreign",
    "GaussianNoise",
    "ManiFool",
    "Manitest",
    "Masked",
    "Minimal",
    "Occlusion",
    "Patch",
    "Perturbation",
    "RandomDirection",
    "SaltAndPepper",
    "Semirandom",
    "SharedVector",
    "SigmaZero",
    "Smallest",
    "SmallestOcclusion",
    "SmallestSeverity",
    "SpannedVector",
    "Square",
    "Stabilised",
    "Static",
    "Substitute",
    "SuperDeepFool",
    "Transformed",
    "UniformNoise",
    "Universal",
    "UniversalCurvature",
    "UniversalGradient",
    "UniversalRandom",
    "UniversalSingular",
    "WorstOf",
    "WorstPose",
    "adaptive_attack",
    "auto_attack",
]
