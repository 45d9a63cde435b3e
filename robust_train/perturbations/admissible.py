"""What a batch must be before anything is made of it."""

import torch
from torch import Tensor

from robust_train.types import Bounds


def check_batch(inputs: Tensor, labels: Tensor, bounds: Bounds) -> None:
    """Refuse inputs that nothing can be made of: half precision, other units, labels that do not match."""
    if inputs.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"Inputs are {inputs.dtype}, which cannot hold a small perturbation exactly: "
            "pass float32 or float64 and cast inside the network."
        )
    if labels.shape != inputs.shape[:1]:
        raise ValueError(
            f"Labels have shape {tuple(labels.shape)} for {len(inputs)} inputs: pass one label for each."
        )
    if bounds is not None and len(inputs):
        low, high = (float(v) for v in inputs.detach().aminmax())
        # The bounds as the inputs' own precision holds them.
        lowest, highest = torch.tensor(bounds, dtype=inputs.dtype).tolist()
        if not (lowest <= low and high <= highest):
            raise ValueError(
                f"Inputs lie in [{low:.4g}, {high:.4g}], outside of the bounds {list(bounds)}: pass "
                "pixels in these units and normalise inside the network, or give other bounds."
            )
