"""FMN against the closed forms of linear networks and of a ball."""

import numpy as np
import pytest
import torch

from robust_train import FMN
from robust_train.attacking.gradients import Counted
from tests.closed_forms import excess, minimal_sizes, to_the_sphere
from tests.toy_networks import Ellipsoid, inside_the_ball, linear, linear_case

UNIT_BOX = (0.0, 1.0)


@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_it_comes_near_the_distance_of_linear_networks(norm, bounds):
    ratios = []
    for seed in range(4):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, norm, bounds)
        found = FMN(norm=norm, bounds=bounds)(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_array_equal(np.isinf(found), np.isinf(truth))
        ratios.extend((found / truth)[np.isfinite(truth)])
    assert min(ratios) >= 1 - 1e-9
    assert np.quantile(ratios, 0.95) <= (1.1 if norm == "l1" else 1.01)


def test_it_comes_near_the_fewest_components_of_linear_networks():
    more = []
    for seed in range(4):
        case = linear_case(seed, classes=2, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l0", UNIT_BOX)
        found = FMN(norm="l0")(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_array_equal(np.isinf(found), np.isinf(truth))
        more.extend((found - truth)[np.isfinite(truth)])
    assert min(more) >= 0
    assert np.mean(np.array(more) <= 1) >= 0.95


@pytest.mark.parametrize(("norm", "most"), [("l2", 1.01), ("linf", 1.01), ("l1", 1.03)])
@pytest.mark.parametrize("bounds", [None, UNIT_BOX], ids=["unbounded", "boxed"])
def test_of_several_classes_it_comes_near_the_nearest(norm, most, bounds):
    cases = (linear_case(seed, walls=seed % 2) for seed in range(6))
    ratios = excess(FMN(norm=norm, bounds=bounds), cases, norm)
    assert np.quantile(ratios, 0.9) <= most


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_it_finds_the_distance_to_the_boundary_of_a_ball(norm):
    x = inside_the_ball()
    found = FMN(norm=norm, bounds=None)(Ellipsoid([2.0] * 12), x, torch.zeros(32, dtype=torch.int64))
    ratio = found.size.numpy() / to_the_sphere(x, 2.0, norm)
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= 1.01).all()


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_a_saturated_slope_does_not_send_it_away(norm):
    """Where the slope vanishes, the boundary seems to be thousands of radii away."""
    line = linear((16,), 2)
    x = torch.rand(16, 16, dtype=torch.float64)
    truth = minimal_sizes(line, x, line(x).argmax(1), norm, None)
    scale = 6 / (line(x)[:, 0] - line(x)[:, 1]).abs().min()  # of tanh, far out for all

    def network(x):
        z = line(x)
        return torch.stack([(scale * (z[:, 0] - z[:, 1])).tanh(), torch.zeros(len(x), dtype=x.dtype)], 1)

    found = FMN(norm=norm, bounds=None)(network, x, network(x).argmax(1)).size
    ratio = found / torch.as_tensor(truth)
    assert ratio.isfinite().all()
    assert (ratio < 2).all()


@pytest.mark.parametrize("norm", ["l0", "l1", "l2", "linf"])
def test_black_pixels_do_not_stand_in_the_way(norm):
    network, inputs = linear((1, 12, 12), 2), torch.zeros(64, 1, 12, 12, dtype=torch.float64)
    inputs[:, :, :3] = torch.rand(64, 1, 3, 12, dtype=torch.float64)
    found = FMN(norm=norm)(network, inputs, network(inputs).argmax(1))
    assert found.size.isfinite().all()


def test_it_costs_one_pass_each_way_a_step():
    case = linear_case(5, classes=5)
    network = Counted(case.network)
    FMN(steps=7)(network, case.inputs, case.labels)
    assert network.backwards == 7 * len(case.inputs)
    assert network.forwards == (7 + 3) * len(case.inputs)  # the goal, the last point and the verdict


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("step_size", 0), ("gamma", 0), ("gamma", 1.0), ("last_gamma", 0)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^FMN: {name} must be"):
        FMN(**{name: value})
