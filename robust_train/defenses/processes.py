"""What several processes train together."""

from torch import Tensor, distributed


def averaged(tensor: Tensor) -> Tensor:
    """The mean of a tensor over all processes, on every process; as it is where there is one.

    Example:
        >>> import torch
        >>> averaged(torch.tensor([1.0]))
        tensor([1.])
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return tensor
    total = tensor.clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()
