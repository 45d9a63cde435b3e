"""Two concepts that part the same images, and how far apart they are, exactly.

Images of N x N pixels show a vertical or a horizontal stripe, a little brighter in the one class and
a little darker in the other. The sum of the pixels tells the classes apart, and so does the direction.

References:
    Analysis of classifiers' robustness to adversarial perturbations (Fawzi, Fawzi and Frossard, 2018)
"""

import math

import pytest
import torch

from robust_train import (
    DDN,
    FAB,
    FGSM,
    FMN,
    LBFGS,
    PGD,
    CarliniWagner,
    DeepFool,
    Smallest,
    SuperDeepFool,
)
from robust_train.norms import norm

N, A = 16, 0.005
DISTANCE = {"l2": N * A, "linf": A, "l1": N**2 * A}  # of 1'x = N

CARLINI_WAGNER = CarliniWagner(bounds=None, steps=100, initial_const=1.0)
L2 = [
    (DeepFool(bounds=None, overshoot=1e-4), 1.001),
    (SuperDeepFool(bounds=None), 1.001),
    (DDN(bounds=None), 1.005),
    (FMN(bounds=None), 1.001),
    (FAB(bounds=None), 1.01),
    (CARLINI_WAGNER, 1.01),
    (Smallest(budgeted=PGD(norm="l2", eps=0.1, steps=20), bounds=None), 1.03),
]
OTHERS = [
    (LBFGS(bounds=None, binary_search_steps=20, steps=10), 1.001),
    (DeepFool(norm="linf", bounds=None, overshoot=1e-4), 1.001),
    (FMN(norm="linf", bounds=None), 1.001),
    (FAB(norm="linf", bounds=None), 1.001),
    (Smallest(budgeted=FGSM(eps=0.1), bounds=None), 1.011),  # a 64th of an octave
    (Smallest(budgeted=PGD(eps=0.1), bounds=None), 1.011),
    (DeepFool(norm="l1", bounds=None, overshoot=1e-4), 1.001),
    (FMN(norm="l1", bounds=None), 1.001),
    (FAB(norm="l1", bounds=None), 1.001),
]


def label(value):
    return f"{type(value).__name__}-{value.norm}" if hasattr(value, "norm") else ""


def stripes(places=range(0, 12, 3), noise=0.0):
    """Vertical ones in these places, and then as many horizontal ones."""
    count = len(places)
    x = torch.zeros(2 * count, 1, N, N, dtype=torch.float64)
    for k, place in enumerate(places):
        x[k, 0, :, place] = x[count + k, 0, place] = 1
    x[:count] += A
    x[count:] -= A
    return x + noise * torch.randn_like(x), torch.arange(2).repeat_interleave(count)


def brightness(x):
    """1'x - N, and its negative."""
    f = x.flatten(1).sum(1) - N
    return torch.stack([f, -f], 1)


def orientation(x):
    """The square of the norm of the means of the columns, less that of the rows, and its negative."""
    q = x.mean((1, 2)).square().sum(1) - x.mean((1, 3)).square().sum(1)
    return torch.stack([q, -q], 1)


def to_the_other_orientation(x):
    r"""Both means are the same number and what varies around it, u and v: the boundary is |u| = |v|."""
    u, v = (means - means.mean(1, keepdim=True) for means in (x.mean((1, 2)), x.mean((1, 3))))
    return math.sqrt(N / 2) * (u.norm(dim=1) - v.norm(dim=1)).abs()


@pytest.mark.parametrize(("search", "ratio"), L2 + OTHERS, ids=label)
def test_the_brightness_of_every_image_is_the_same_little_away(search, ratio):
    x, labels = stripes()
    assert torch.equal(brightness(x).argmax(1), labels)
    found = search(brightness, x, labels).size / DISTANCE[search.norm]
    assert (found >= 1 - 1e-9).all()
    assert (found <= ratio).all()


@pytest.mark.parametrize(("search", "ratio"), L2, ids=label)
def test_the_orientation_is_far_away(search, ratio):
    """Clean stripes have no slope towards the other direction: a little noise gives them one."""
    x, labels = stripes(noise=0.02)
    assert torch.equal(orientation(x).argmax(1), labels)
    found = search(orientation, x, labels).size / to_the_other_orientation(x)
    assert (found >= 1 - 1e-9).all()
    assert (found <= ratio).all()


def test_from_where_no_slope_leads_on_a_random_start_does():
    x, labels = stripes()
    slope, random = L2[0][0], L2[-1][0]
    assert slope(orientation, x, labels).size.isinf().all()
    found = random(orientation, x, labels).size / math.sqrt((N - 1) / 2)
    assert (found >= 1 - 1e-9).all()
    assert (found <= 1.01).all()


def test_it_is_nearly_half_the_way_to_an_image_of_the_other_class():
    x, labels = stripes()
    half = norm(x[labels == 0] - x[labels == 1], "l2") / 2
    torch.testing.assert_close(half, torch.full_like(half, 0.5 * math.sqrt(2 * (N - 1) + 4 * A**2 * N**2)))
    distance = to_the_other_orientation(x)
    assert (distance <= half[0]).all()
    assert (distance >= 0.999 * half[0]).all()
    assert half[0] > 30 * DISTANCE["l2"]


def test_no_linear_classifier_is_further_away_on_average():
    """Half the distance of the means of the classes bounds it, an error being a negative distance."""
    x, labels = stripes(range(N))
    for _ in range(5):
        weights = torch.ones(N, N, dtype=torch.float64) + 0.3 * torch.randn(N, N, dtype=torch.float64)
        scores = (x * weights).flatten(1).sum(1)
        middle = scores.mean()

        def network(x, weights=weights, middle=middle):
            f = (x * weights).flatten(1).sum(1) - middle
            return torch.stack([f, -f], 1)

        found = DeepFool(bounds=None, overshoot=1e-6)(network, x, labels).size
        signed = torch.where(network(x).argmax(1) == labels, found, -found)
        assert signed.mean() <= DISTANCE["l2"] * (1 + 1e-4)
        assert signed.mean() > 0.8 * DISTANCE["l2"]  # of weights that are nearly the best
