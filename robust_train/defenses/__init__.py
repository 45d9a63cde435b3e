"""Defenses: what makes a network robust, under one contract."""

from robust_train.defenses.adversarial_fine_tuning import AdversarialFineTuning
from robust_train.defenses.adversarial_training import AdversarialTraining
from robust_train.defenses.adversarial_weight_perturbation import AdversarialWeightPerturbation
from robust_train.defenses.augmentation import Augmentation
from robust_train.defenses.augmix import AugMix
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.contractive_penalty import ContractivePenalty
from robust_train.defenses.curvature_detector import CurvatureDetector
from robust_train.defenses.curvature_penalty import CurvaturePenalty
from robust_train.defenses.detector_head import DetectorHead
from robust_train.defenses.distillation import Distillation
from robust_train.defenses.free_adversarial_training import FreeAdversarialTraining
from robust_train.defenses.gradient_penalty import GradientPenalty
from robust_train.defenses.information_penalty import InformationPenalty
from robust_train.defenses.jacobian_penalty import JacobianPenalty
from robust_train.defenses.jitter import Jitter
from robust_train.defenses.margin_loss import MarginLoss
from robust_train.defenses.mart import MART
from robust_train.defenses.n_fgsm import NFGSM
from robust_train.defenses.noise_layers import NoiseLayers
from robust_train.defenses.parseval_retraction import ParsevalRetraction
from robust_train.defenses.saturation_penalty import SaturationPenalty
from robust_train.defenses.schedule import Ramp
from robust_train.defenses.several_norms import SeveralNorms
from robust_train.defenses.side_information import SideInformation
from robust_train.defenses.spatial_transformer import SpatialTransformer
from robust_train.defenses.spectral_normalisation import SpectralNormalisation
from robust_train.defenses.trades import TRADES
from robust_train.defenses.uncertainty_detector import UncertaintyDetector
from robust_train.defenses.universal_adversarial_training import UniversalAdversarialTraining

__all__ = [
    "MART",
    "NFGSM",
    "TRADES",
    "AdversarialFineTuning",
    "AdversarialTraining",
    "AdversarialWeightPerturbation",
    "AugMix",
    "Augmentation",
    "ContractivePenalty",
    "CurvatureDetector",
    "CurvaturePenalty",
    "Defense",
    "DetectorHead",
    "Distillation",
    "FreeAdversarialTraining",
    "GradientPenalty",
    "InformationPenalty",
    "JacobianPenalty",
    "Jitter",
    "MarginLoss",
    "NoiseLayers",
    "ParsevalRetraction",
    "Ramp",
    "SaturationPenalty",
    "SeveralNorms",
    "SideInformation",
    "SpatialTransformer",
    "SpectralNormalisation",
    "Step",
    "UncertaintyDetector",
    "UniversalAdversarialTraining",
]
