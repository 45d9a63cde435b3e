"""Inputs and labels of anybody's batches."""

from typing import Any

import torch
from torch import Tensor

_INPUTS = ("image", "images", "input", "inputs", "x", "pixel_values")
_LABELS = ("label", "labels", "target", "targets", "y")


def unpack(batch: Any, keys: tuple[str, str] | None = None) -> tuple[Tensor, Tensor]:
    """Inputs ``(N, ...)`` and int64 labels ``(N,)`` of a batch that is a sequence or a dictionary.

    Args:
        batch: ``(inputs, labels, ...)``, or a dictionary.
        keys: Names of inputs and labels in the dictionary; the usual ones are found without.

    Raises:
        ValueError: Inputs or labels are not there, are no tensors, or labels are not one whole number for
            each sample.

    Example:
        >>> inputs, labels = unpack({"image": torch.zeros(2, 1), "label": torch.tensor([0, 1])})
        >>> labels
        tensor([0, 1])
    """
    found: list[Any]
    if isinstance(batch, dict):
        wanted = ([keys[0]], [keys[1]]) if keys else (_INPUTS, _LABELS)
        found = [next((batch[name] for name in names if name in batch), None) for names in wanted]
    else:
        found = list(batch[:2]) if isinstance(batch, (list, tuple)) else []
    if len(found) != 2 or not all(isinstance(part, Tensor) for part in found):
        raise ValueError(
            f"No inputs and labels in a batch that is {_words(batch)}: make it two tensors (inputs, labels), "
            'of pictures by the transform ToTensor(), or name the two by keys=("inputs", "labels").'
        )
    inputs, labels = found
    if labels.shape != inputs.shape[:1] or bool((labels != labels.to(torch.int64)).any()):
        raise ValueError(
            f"Labels are {labels.dtype} of shape {tuple(labels.shape)} for {len(inputs)} inputs: give each "
            "the number of its class."
        )
    return inputs.clone(), labels.clone().to(torch.int64)


def _words(batch: Any) -> str:
    """What a batch is, in a few words."""
    if isinstance(batch, dict):
        return f"a dictionary of {', '.join(map(str, batch))}"
    if isinstance(batch, (list, tuple)):
        return f"a {type(batch).__name__} of {', '.join(type(part).__name__ for part in batch)}"
    return f"one {type(batch).__name__}"
