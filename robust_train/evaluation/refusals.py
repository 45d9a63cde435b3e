"""What nothing can be measured on, refused in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from robust_train.evaluation.blocks import has_positions
from robust_train.evaluation.deployed import Deployed
from robust_train.networks.rejecting import rejects

SAMPLES = 16
"""Enough to notice, few enough to always look."""


def check_data(data: Any) -> None:
    """Refuse what is no data set, or an empty one.

    Example:
        >>> check_data([])
        Traceback (most recent call last):
        ValueError: There are no samples to judge: the data set is empty.
    """
    if not has_positions(data):
        raise ValueError(
            f"{type(data).__name__} has no length and items: give a data set that has both, such as the "
            "dataset of a loader."
        )
    if not len(data):
        raise ValueError("There are no samples to judge: the data set is empty.")


def check_block(network: Deployed, inputs: Tensor, labels: Tensor) -> Tensor:
    """Logits of the first few samples of a block; to be called in attack mode.

    Raises:
        ValueError: Nothing can be measured: the network refuses the inputs, returns no finite
            logits or those of one class alone, or a label is none of its classes.
    """
    if not inputs.is_floating_point():
        raise ValueError(f"Inputs are {inputs.dtype}: give floating-point pixels in [0, 1].")
    logits = _first_call(network, inputs[:SAMPLES])
    classes = logits.shape[1] - rejects(network)
    if classes < 2:
        raise ValueError(
            f"The network has logits for {classes} class only: give it two or more, such as -z and z for a "
            "single z."
        )
    check_labels(labels, classes)
    return logits


def check_labels(labels: Tensor, classes: int) -> None:
    """Refuse labels that are none of the network's classes."""
    wrong = (labels < 0) | (labels >= classes)
    if bool(wrong.any()):
        raise ValueError(
            f"Label {int(labels[wrong][0])} is none of the network's {classes} classes (0 to {classes - 1}): "
            "give the network as many outputs as the data has classes, or map the labels."
        )


@contextmanager
def out_of_inference_mode() -> Iterator[None]:
    """Say what to do where torch says that inference mode cannot be left."""
    try:
        yield
    except RuntimeError as error:
        if "nference tensor" not in str(error):
            raise
        raise ValueError(
            "The network keeps tensors that it made under inference mode, through which no gradient passes: "
            "set Trainer(inference_mode=False)."
        ) from error


def _first_call(network: Deployed, x: Tensor) -> Tensor:
    try:
        with torch.no_grad(), out_of_inference_mode():
            logits: Tensor = network(x)
    except NotImplementedError as error:
        raise ValueError(
            "The module cannot be called on images: define its forward, from images to logits."
        ) from error
    except RuntimeError as error:
        reason, *_ = [*str(error).splitlines(), type(error).__name__]
        raise ValueError(
            f"The network refuses inputs of shape {tuple(x.shape[1:])} ({reason}): give it the channels and "
            "the size of the data."
        ) from error
    if not bool(logits.isfinite().any()):
        raise ValueError(
            f"The network returns NaN or infinity for all of {len(x)} inputs: look at its weights and its "
            "normalisation; a training that diverged needs a smaller learning rate."
        )
    return logits
