"""Callbacks: the only bridge between Lightning's loops and the evaluation."""

from robust_train.callbacks.robustness import Robustness

__all__ = ["Robustness"]
