"""Ball and box by a float64 check, and what the contract refuses."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robust_train import (
    FGSM,
    PGD,
    Budgeted,
    DeepFool,
    GaussianNoise,
    Goal,
    Margin,
    Minimal,
    Perturbed,
    Ramp,
    RandomDirection,
    WorstOf,
)
from robust_train.norms import Ball
from robust_train.perturbations.base import unmeasured
from robust_train.randomness import Streams
from tests.toy_networks import Constant, convolutional, linear

ORDER = {"linf": np.inf, "l2": 2, "l1": 1}
shapes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
budgets = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1e-8, 8 / 255]))
a_setting = {
    "norm": st.sampled_from(sorted(ORDER)),
    "eps": budgets,
    "shape": shapes,
    "count": st.integers(0, 5),
    "dtype": st.sampled_from([torch.float32, torch.float64]),
    "bounds": st.sampled_from([None, (0.0, 1.0), (-0.25, 1.75)]),
    "seed": st.integers(0, 2**32 - 1),
}


def random_inputs(count, shape, dtype, bounds, seed):
    """Some of the pixels lie on the ends of the box."""
    low, high = bounds or (-5.0, 5.0)
    draw = torch.rand(count, *shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return (1.4 * draw - 0.2).clamp(0, 1).mul(high - low).add(low).clamp(low, high)


def inside(inputs, perturbed, norm, eps, bounds):
    """By float64, in numpy: no element outside of ball or box."""
    x, y = inputs.double().flatten(1).numpy(), perturbed.double().flatten(1).numpy()
    low, high = bounds or (-np.inf, np.inf)
    sizes = np.linalg.norm(y - x, ORDER[norm], axis=1) if len(x) else np.zeros(0)
    return (sizes <= eps).all() and (y >= low).all() and (y <= high).all()


@settings(max_examples=200)
@given(**a_setting, spread=st.sampled_from([0.0, 1.0, 1.5, 1e6]))
def test_confine_moves_any_point_into_ball_and_box(norm, eps, shape, count, dtype, bounds, seed, spread):
    inputs = random_inputs(count, shape, dtype, bounds, seed)
    noise = Streams.of(seed, range(count)).normal(shape, inputs)
    ball = Ball.around(inputs, norm, eps, bounds)
    for y in (inputs + spread * eps * noise, ball.project(inputs + spread * eps * noise)):
        confined = ball.confine(y)
        assert confined.dtype == dtype
        assert inside(inputs, confined, norm, eps, bounds)
        assert torch.equal(ball.confine(confined), confined)


@settings(max_examples=100)
@given(**a_setting, kind=st.sampled_from(["FGSM", "PGD", "PGD1", "GaussianNoise", "WorstOf"]))
def test_no_budgeted_perturbation_leaves_ball_or_box(norm, eps, shape, count, dtype, bounds, seed, kind):
    inputs = random_inputs(count, shape, dtype, bounds, seed)
    torch.manual_seed(seed)
    network = linear(shape, 3, dtype)
    budget = {"norm": norm, "eps": eps, "bounds": bounds}
    make = {
        "FGSM": lambda: FGSM(**budget),
        "PGD": lambda: PGD(**budget, steps=3, restarts=2, objective=Margin()),
        "PGD1": lambda: PGD(**budget, steps=3, drop=False),
        "GaussianNoise": lambda: GaussianNoise(**budget),
        "WorstOf": lambda: WorstOf(
            **budget, members=[FGSM(**budget), RandomDirection(norm=norm, bounds=bounds)]
        ),
    }
    found = make[kind]()(network, inputs, torch.arange(count) % 3, rng=Streams.of(seed, range(count)))
    assert inside(inputs, found.inputs, norm, eps, bounds)
    assert (found.size <= eps).all()


@pytest.mark.parametrize("kind", [FGSM, PGD, GaussianNoise])
@pytest.mark.parametrize("norm", sorted(ORDER))
def test_no_budget_returns_the_input_bit_for_bit(kind, norm):
    inputs = torch.rand(4, 1, 8, 8)
    inputs[:, :, 0] = -0.0
    found = kind(norm=norm, eps=0.0, bounds=(0.0, 1.0))(
        convolutional(), inputs, torch.zeros(4, dtype=torch.int64)
    )
    assert found.inputs.numpy().tobytes() == inputs.numpy().tobytes()
    assert torch.equal(found.size, torch.zeros(4, dtype=torch.float64))


@dataclass(frozen=True, kw_only=True)
class BoastfulBudgeted(Budgeted):
    """Promises nothing: what it returns lies anywhere, or is not a number."""

    def search(self, network, inputs, goal, rng):
        anywhere = 1e3 * rng.normal(tuple(inputs.shape[1:]), inputs)
        anywhere[::2] = float("nan")
        return Perturbed(anywhere, unmeasured(inputs))


@dataclass(frozen=True, kw_only=True)
class BoastfulMinimal(Minimal):
    """Calls everything a success of size zero, far outside of the box."""

    def search(self, network, inputs, goal, rng):
        far = inputs + 1e3 * rng.normal(tuple(inputs.shape[1:]), inputs)
        return Perturbed(far, torch.zeros(len(inputs), dtype=torch.float64))


def test_whatever_a_search_returns_the_base_keeps_ball_and_box():
    inputs = torch.rand(8, 5)
    found = BoastfulBudgeted(norm="l2", eps=0.3)(linear((5,), 3, torch.float32), inputs, torch.arange(8) % 3)
    assert inside(inputs, found.inputs, "l2", 0.3, (0.0, 1.0))
    assert torch.equal(found.inputs[::2], inputs[::2])
    assert (found.size[1::2] > 0.1).all()


def test_whatever_a_search_claims_the_base_checks_inside_the_box():
    network, inputs = linear((5,), 3, torch.float32), torch.rand(64, 5)
    labels = network(inputs).argmax(1)
    outside = BoastfulMinimal()
    found, goal = outside(network, inputs, labels), Goal(labels)
    assert ((found.inputs >= 0) & (found.inputs <= 1)).all()
    reached = goal.reached(network(found.inputs))
    assert torch.equal(found.size.isfinite(), reached)
    claimed = outside.search(network, inputs, goal, Streams.of(0, range(64))).inputs
    assert (goal.reached(network(claimed)) & ~reached).any()
    assert torch.equal(found.inputs[~reached], inputs[~reached])


@dataclass(frozen=True, kw_only=True)
class Short(Minimal):
    """Ends before the boundary at 0.5, by a share of the way."""

    by: float

    def search(self, network, inputs, goal, rng):
        return Perturbed(inputs + (1 - self.by) * (0.5 - inputs), unmeasured(inputs))


@pytest.mark.parametrize("by", [1e-6, 1e-3, 0.02, 0.1])
def test_a_perturbation_that_is_short_by_a_rounding_is_stretched_and_no_other(by):
    def network(x):
        return torch.cat([0.5 - x, 0 * x], 1)

    inputs = torch.tensor([[0.1], [0.3], [0.4]], dtype=torch.float64)
    found = Short(by=by)(network, inputs, torch.zeros(3, dtype=torch.long))
    smallest = (0.5 - inputs).squeeze(1)
    if by > 2**-5:
        assert found.size.isinf().all()
        assert torch.equal(found.inputs, inputs)
    else:
        assert (found.size > smallest).all()
        assert (found.size < (1 + max(2 * by, 2**-10)) * smallest).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.uint8])
@pytest.mark.parametrize("perturbation", [PGD(), DeepFool()])
def test_precision_that_cannot_hold_a_perturbation_is_refused(perturbation, dtype):
    with pytest.raises(TypeError, match=r"^Inputs are torch.*: pass float32 or float64"):
        perturbation(Constant([0.0, 1.0]), torch.zeros(2, 3, dtype=dtype), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize("bad", [-0.01, 1.01, 255.0, float("nan")])
def test_inputs_outside_of_the_box_are_refused(bad):
    inputs = torch.full((2, 3), 0.5)
    inputs[1, 2] = bad
    with pytest.raises(
        ValueError, match=r"^Inputs lie in .* outside of the bounds \[0.0, 1.0\]: .*normalise"
    ):
        PGD()(Constant([0.0, 1.0]), inputs, torch.zeros(2, dtype=torch.int64))


def test_the_ends_of_the_box_are_inside_in_either_precision():
    for dtype in (torch.float32, torch.float64):  # as a float32, -0.3 is a little less than -0.3
        inputs = torch.tensor([[-0.3, 1.7]], dtype=dtype)
        found = PGD(bounds=(-0.3, 1.7))(linear((2,), 2, dtype), inputs, torch.tensor([0])).inputs
        assert ((found >= inputs[0, 0]) & (found <= inputs[0, 1])).all()


def test_labels_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match=r"^Labels have shape \(3,\) for 2 inputs: pass one label for each"):
        PGD()(Constant([0.0, 1.0]), torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64))


def test_an_eps_in_levels_of_grey_is_refused():
    with pytest.raises(ValueError, match=r"^PGD: eps 8 is more than the whole range .*such as 8/255"):
        PGD(eps=8)
    assert PGD(eps=8, bounds=(0, 255)).eps == 8


@pytest.mark.parametrize("eps", ["8/255", Ramp(0, 1), [0.1]])
def test_an_eps_that_is_no_number_is_refused(eps):
    with pytest.raises(TypeError, match=rf"^PGD: eps must be a number, not {re.escape(repr(eps))}\.$"):
        PGD(eps=eps)
