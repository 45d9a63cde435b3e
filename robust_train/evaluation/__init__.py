"""Evaluation: blocks of samples, judged under a suite of regimes."""

from robust_train.evaluation.evaluate import evaluate
from robust_train.evaluation.evaluator import Evaluator
from robust_train.evaluation.results import RegimeResult, Results

__all__ = ["Evaluator", "RegimeResult", "Results", "evaluate"]
