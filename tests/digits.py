"""The digits of scikit-learn, cut in two."""

from types import SimpleNamespace

import torch
from sklearn.datasets import load_digits


def digits():
    """497 to judge on, and 1300 to train on."""
    found = load_digits()
    inputs = torch.tensor(found.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(found.target)
    parts = slice(1300, None), slice(0, 1300)
    return [SimpleNamespace(inputs=inputs[part], labels=labels[part]) for part in parts]
