"""Everything that an attack must leave as it was, as values to compare."""

import random

import numpy as np
import torch


def snapshot(network):
    """Bits of parameters, buffers and grads, every flag, and the global random states."""
    return {
        "parameters": [
            (name, bits(p), p.requires_grad, bits(p.grad)) for name, p in network.named_parameters()
        ],
        "buffers": [(name, bits(b)) for name, b in network.named_buffers()],
        "modes": [(name, module.training) for name, module in network.named_modules()],
        "torch": bits(torch.get_rng_state()),
        "numpy": str(np.random.get_state()),
        "python": random.getstate(),
    }


def bits(tensor):
    return None if tensor is None else tensor.detach().cpu().contiguous().numpy().tobytes()
