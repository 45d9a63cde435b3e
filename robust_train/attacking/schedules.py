"""How a hyper-parameter changes in the course of a search."""

import math


def cosine(first: float, last: float, progress: float) -> float:
    """From ``first`` to ``last`` along half a cosine, for ``progress`` from 0 to 1.

    Example:
        >>> cosine(1.0, 0.0, 0.5)
        0.5
    """
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2
