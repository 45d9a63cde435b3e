"""What defines the figures of an evaluation, as plain values."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.deployed import Deployed


def describe(blocks: Blocks, network: Deployed, autocast: bool = False) -> dict[str, Any]:
    """Samples and how they were chosen, block, precision, device kind and versions."""
    total = len(blocks.dataset)
    chosen = len(blocks.positions())
    weight = next((p for p in network.parameters() if p.is_floating_point()), torch.zeros(0))
    kind = str(weight.dtype).removeprefix("torch.")
    return {
        "of": total,
        "subset": "all samples" if chosen == total else f"{chosen} of {total}, drawn with seed {blocks.seed}",
        "block": blocks.size,
        "precision": f"{kind} weights, {'autocast' if autocast else 'no autocast'}, searched in float32",
        "device": weight.device.type,
        "versions": {name: _version(name) for name in ("robust_train", "torch", "torchvision")},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
