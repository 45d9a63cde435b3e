"""How much a network can stretch what comes in: exact norms of layers, and bounds of whole networks."""

from robust_train.lipschitz.bound import difference_bounds, lipschitz_bound
from robust_train.lipschitz.certificate import certified_radius
from robust_train.lipschitz.convolution import circular_norm, convolution_bound
from robust_train.lipschitz.layer import layer_bound
from robust_train.lipschitz.power_iteration import power_iteration
from robust_train.lipschitz.simplex import project_onto_simplex

__all__ = [
    "certified_radius",
    "circular_norm",
    "convolution_bound",
    "difference_bounds",
    "layer_bound",
    "lipschitz_bound",
    "power_iteration",
    "project_onto_simplex",
]
