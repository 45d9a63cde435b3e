"""Callbacks: the only bridge between Lightning's loops and the evaluation."""

from robust_train.callbacks.catastrophic_overfitting import CatastrophicOverfitting
from robust_train.callbacks.robust_overfitting import RobustOverfitting
from robust_train.callbacks.robustness import Robustness

__all__ = ["CatastrophicOverfitting", "RobustOverfitting", "Robustness"]
