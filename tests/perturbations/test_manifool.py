"""ManiFool against flat families, whose nearest point is known, and against exhaustive search."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from robust_train import ManiFool, Manitest, Rotation, Translation
from robust_train.attacking.gradients import Counted
from robust_train.transforms import Affine, Brightness, Transform
from tests.toy_networks import linear

MIX = torch.tensor([[3.0, 1.0], [0.5, 0.7], [0.0, 1.0]], dtype=torch.float64)


@dataclass(frozen=True)
class Plane(Transform):
    """Adds A theta: the metric is that of A everywhere, and far from isotropic."""

    names = ("first", "second")
    identity = (0.0, 0.0)

    def __call__(self, inputs, parameters, rng=None):
        return inputs + (parameters @ MIX.T).view(-1, 1, 1, 3).to(inputs)


@pytest.mark.parametrize("fields", [{}, {"steps": 200, "step_size": 0.01, "refinements": 0}])
def test_it_finds_the_nearest_point_of_a_flat_family(fields):
    torch.manual_seed(0)
    network, x = nn.Sequential(nn.Flatten(), nn.Linear(3, 2)).double(), torch.rand(20, 1, 1, 3).double()
    labels = network(x).argmax(1)
    found = ManiFool(transform=Plane(), bounds=None, bisections=20, **fields)(network, x, labels)
    w = network[1].weight.data[1] - network[1].weight.data[0]
    gap = (network(x)[:, 1] - network(x)[:, 0]).abs()
    slope = MIX.T @ w
    truth = gap / (slope @ torch.linalg.solve(MIX.T @ MIX, slope)).sqrt()
    torch.testing.assert_close(found.size, truth, rtol=1e-3, atol=0)
    straight = (found.inputs - x).flatten(1).norm(dim=1)
    torch.testing.assert_close(found.size, straight)


def case(count=24):
    torch.manual_seed(3)
    # Coarse enough that a pixel's shift is a small one.
    x = interpolate(torch.rand(count, 1, 4, 4), size=(8, 8), mode="bicubic").clamp(0, 1).double()
    network = linear((1, 8, 8), 10)
    return network, x, network(x).argmax(1)


@pytest.mark.parametrize("transform", [Translation(), Rotation(), Translation(padding="periodic")])
def test_it_comes_near_the_smallest_that_a_fine_lattice_holds(transform):
    network, x, labels = case()
    turns = len(transform.names) == 1
    limits, grid = ((90.0,), (181,)) if turns else ((2.0, 2.0), (21, 21))
    truth = Manitest(transform=transform, limits=limits, grid=grid)(network, x, labels).size
    found = ManiFool(transform=transform)(network, x, labels).size
    both = truth.isfinite() & found.isfinite()
    assert truth.isfinite().sum() > 3
    assert both.sum() > 0.8 * truth.isfinite().sum()
    assert (found / truth)[both].quantile(0.9) < 1.1
    # The lattice has gaps, by which the nearest of small ones may be missed.
    assert (found >= 0.9 * truth)[both].float().mean() > 0.8


def test_refining_never_lengthens_and_mostly_shortens():
    network, x, labels = case()
    sizes = [replace(ManiFool(), refinements=k)(network, x, labels).size for k in (0, 1, 5)]
    assert (sizes[1] <= sizes[0]).all()
    assert (sizes[2] <= sizes[1]).all()
    assert (sizes[2] < 0.999 * sizes[0]).float().mean() > 0.5


def test_the_length_is_the_same_for_finer_segments_and_no_less_than_the_chord():
    network, x, labels = case()
    found = ManiFool()(network, x, labels)
    finer = replace(ManiFool(), segments=64).length(x, found.parameters)
    chord = (found.inputs - x).flatten(1).norm(dim=1)
    there = found.size.isfinite()
    assert there.sum() > 12
    assert (finer >= found.size - 1e-9)[there].all()
    assert (finer < 1.05 * found.size)[there].all()
    assert (found.size >= chord - 1e-9).all()


def test_a_sample_leaves_the_walk_when_it_crosses():
    network, x, labels = case()
    counted = Counted(network)
    ManiFool(refinements=0, restarts=0)(counted, x, labels)
    assert counted.backwards < 10 * len(x)


def test_more_restarts_never_find_more_and_find_what_one_walk_misses():
    network, x, labels = case(48)
    for transform in (Translation(), Affine()):
        runs = [replace(ManiFool(transform=transform), restarts=k)(network, x, labels) for k in (0, 1, 3)]
        few, some, many = (run.size for run in runs)
        assert (many <= some).all()
        assert (some <= few).all()
        assert (many < 0.99 * few)[few.isfinite()].any()
        assert few.isfinite().sum() <= many.isfinite().sum()


def test_a_region_between_two_points_of_the_ray_is_kept():
    def network(x):  # class 1 where the mean is within a narrow band, with a slope towards it
        mean = x.flatten(1).mean(1)
        return torch.stack([(mean - 0.598).abs() - 0.001, torch.zeros_like(mean)], 1)

    x = torch.full((1, 1, 4, 4), 0.5)
    found = ManiFool(transform=Brightness())(network, x, torch.tensor([0]))
    assert 0.097 <= found.parameters.item() <= 0.099


def test_wrong_hyper_parameters_are_refused():
    with pytest.raises(ValueError, match="step_size must be positive"):
        ManiFool(step_size=0)
