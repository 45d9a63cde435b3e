"""Pictures inside a page."""

import math
from base64 import b64encode
from io import BytesIO
from typing import Any

from torch import Tensor

_STEPS = (1, 1.5, 2, 3, 5, 7)
_LARGEST = 128  # pixels a side: what is shown is a thumbnail, and a page carries many


def data_uri(image: Tensor) -> str:
    """A picture ``(C, H, W)`` in [0, 1] as a PNG that a page can hold; values outside are clipped.

    Three channels are red, green and blue; of any other number the mean is shown in grey. Large
    pictures keep every k-th pixel: averaging would hide the perturbation.

    Example:
        >>> import torch
        >>> data_uri(torch.zeros(1, 8, 8))[:22]
        'data:image/png;base64,'
    """
    from matplotlib.image import imsave

    stride = -(-max(image.shape[1:]) // _LARGEST)
    image = image[:, ::stride, ::stride].detach().float().cpu()
    image = image if len(image) == 3 else image.mean(0, keepdim=True).expand(3, -1, -1)
    pixels = image.nan_to_num(nan=0.5).clamp(0, 1).mul(255).round().byte().permute(1, 2, 0)
    buffer = BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    imsave(buffer, pixels.contiguous().numpy(), format="png", metadata=metadata)
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"


def magnification(changes: Tensor) -> float:
    """A round factor that makes changes fill half the range, but for the rare large ones.

    Example:
        >>> import torch
        >>> magnification(torch.tensor([0.15, -0.1])), magnification(torch.zeros(2))
        (3.0, 1.0)
    """
    changes = changes.double().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).abs()
    if not bool(changes.any()):
        return 1.0
    factor = 0.5 / min(float(changes.max()), 3 * float(changes.square().mean().sqrt()))
    decade = 10.0 ** math.floor(math.log10(factor))
    return decade * max(step for step in _STEPS if step * decade <= factor * (1 + 1e-6) or step == 1)
