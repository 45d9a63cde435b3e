"""Studies: what is no perturbation of one image by one network, built from the same parts."""

from robust_train.studies.accuracy_map import AccuracyMap
from robust_train.studies.base import Study
from robust_train.studies.certified_radius import CertifiedRadius
from robust_train.studies.corruption_table import CorruptionTable
from robust_train.studies.detection_roc import DetectionROC
from robust_train.studies.failure_probability import FailureProbability
from robust_train.studies.finding import Curves, Finding, Grid
from robust_train.studies.label_graph import LabelGraph
from robust_train.studies.label_recovery import LabelRecovery
from robust_train.studies.perturbation_diversity import PerturbationDiversity
from robust_train.studies.run import study
from robust_train.studies.transfer import Transfer, transfer
from robust_train.studies.universal_diversity import UniversalDiversity
from robust_train.studies.universal_rate import UniversalRate

__all__ = [
    "AccuracyMap",
    "CertifiedRadius",
    "CorruptionTable",
    "Curves",
    "DetectionROC",
    "FailureProbability",
    "Finding",
    "Grid",
    "LabelGraph",
    "LabelRecovery",
    "PerturbationDiversity",
    "Study",
    "Transfer",
    "UniversalDiversity",
    "UniversalRate",
    "study",
    "transfer",
]
