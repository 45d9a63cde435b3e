"""The direction in which a loss is climbed inside a ball and a box."""

from torch import Tensor

from robust_train.norms import Ball, norm, steepest, unsqueeze_like


def ascent(gradient: Tensor, x: Tensor, ball: Ball) -> Tensor:
    """The steepest direction of unit norm from each point of the set.

    In l1 it is that of the few steepest coordinates that can still move, and a push for what is steeper
    but full: without it, the projection would take from the full ones what the others gain.

    Args:
        gradient: ``(N, ...)`` of the loss.
        x: ``(N, ...)`` points of the set.
        ball: The set.
    """
    if ball.p != "l1":
        return steepest(gradient, ball.p)
    room = (ball.high - x).where(gradient > 0, x - ball.low)
    free = steepest(gradient.masked_fill(room <= 1e-6 * ball.eps, 0), "l1")
    slope = gradient.abs()
    least = slope.masked_fill(free == 0, float("inf")).flatten(1).amin(1)
    steeper = slope >= unsqueeze_like(least, slope)
    return gradient.sign() * steeper * unsqueeze_like(norm(free, "linf"), free)
