"""Manitest against geodesics that are known: of flat, curved and degenerate metrics."""

from dataclasses import dataclass
from math import log, sin

import pytest
import torch
from torch import nn

from robust_train import Manitest, Rotation, Translation
from robust_train.transforms import Transform
from tests.toy_networks import linear

MIX = torch.tensor([[3.0, 1.0], [0.5, 0.7], [0.0, 1.0]], dtype=torch.float64)


@dataclass(frozen=True)
class Plane(Transform):
    """Adds A theta: the metric is that of A everywhere, and far from isotropic."""

    names = ("first", "second")
    identity = (0.0, 0.0)

    def __call__(self, inputs, parameters, rng=None):
        return inputs + (parameters @ MIX.T).view(-1, 1, 1, 3)


@dataclass(frozen=True)
class Sphere(Transform):
    """Longitude and latitude on the unit sphere; inputs are added to."""

    names = ("longitude", "latitude")
    identity = (0.0, 0.3)

    def __call__(self, inputs, parameters, rng=None):
        a, b = parameters.unbind(1)
        point = torch.stack([b.cos() * a.cos(), b.cos() * a.sin(), b.sin()], 1)
        return inputs + point.view(-1, 1, 1, 3)


def manitest(transform, side, limits=(1.0, 1.0), **fields):
    grid = (side,) * len(transform.names)
    return Manitest(transform=transform, limits=limits, grid=grid, bounds=None, **fields)


def plane_error(side, **fields):
    attack, x = manitest(Plane(), side, **fields), torch.zeros(1, 1, 1, 3).double()
    truth = (attack._lattice(x) @ MIX.T).norm(dim=1)
    u = attack.distances(x)[0].flatten()
    assert (u >= truth * (1 - 1e-12)).all()  # a path is no shorter than the straight line
    return ((u - truth) / truth.clamp_min(1e-9)).max().item()


def sphere_error(side):
    attack, x = manitest(Sphere(), side), torch.zeros(1, 1, 1, 3).double()
    lattice = attack._lattice(x)
    points = attack.transform(x.expand(len(lattice), -1, -1, -1), lattice).flatten(1)
    truth = (points @ points[len(points) // 2]).clamp(-1, 1).arccos()
    error = (attack.distances(x)[0].flatten() - truth).abs()
    return (error / truth.clamp_min(1e-9))[truth > 0.2].max().item()


@pytest.mark.parametrize("error", [plane_error, sphere_error])
def test_distances_converge_as_the_lattice_is_refined(error):
    errors = [error(side) for side in (9, 17, 33, 65)]
    assert errors == sorted(errors, reverse=True)
    order = log(errors[0] / errors[-1]) / log(8)
    assert order > 0.7
    assert errors[-1] < 0.04


def blob(side=32):
    u = torch.arange(side, dtype=torch.float64)
    return torch.sin(2 * torch.pi * u / side).exp().expand(side, -1)[None, None].clone()


def slope(x):
    """What a shift by a pixel costs."""
    return (2 * torch.pi / 32) * (torch.cos(2 * torch.pi * torch.arange(32).double() / 32) * x).norm()


def test_long_steps_of_a_coarse_lattice_are_not_cut_short():
    """By their chords, these distances would be up to 25 % and 9 % too short."""
    attack, x = manitest(Sphere(), 5, (2.5, 1.2)), torch.zeros(1, 1, 1, 3).double()
    lattice = attack._lattice(x)
    points = attack.transform(x.expand(25, -1, -1, -1), lattice).flatten(1)
    truth = (points @ points[12]).clamp(-1, 1).arccos()
    u = attack.distances(x)[0].flatten()
    assert (u >= 0.9 * truth).all()
    x = blob()
    shifts = Manitest(transform=Translation(padding="periodic"), limits=(6.0, 6.0), grid=(5, 5), bounds=None)
    truth = shifts._lattice(x)[:, 0].abs() * slope(x)
    torch.testing.assert_close(shifts.distances(x)[0].flatten(), truth, rtol=0.03, atol=1e-9)


def test_the_step_across_the_boundary_is_as_long_as_its_arc():
    @dataclass(frozen=True)
    class Globe(Sphere):
        """The identity adds nothing."""

        def __call__(self, inputs, parameters, rng=None):
            return super().__call__(inputs, parameters) - super().__call__(0 * inputs, self.neutral(inputs))

    network, x = nn.Sequential(nn.Flatten(), nn.Linear(3, 2)).double(), torch.zeros(3, 1, 1, 3).double()
    network[1].weight.data = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).double()
    network[1].bias.data = torch.tensor([sin(1.2) - sin(0.3), 0.0]).double()  # up the meridian by 0.9
    found = manitest(Globe(), 3, (1.0, 1.2))(network, x, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(found.size, torch.full((3,), 0.9).double(), rtol=0.015, atol=0)


def test_the_nearest_neighbours_alone_never_converge():
    assert plane_error(33, radius=1) > 0.9 * plane_error(5, radius=1) > 0.05


def test_steps_longer_than_a_side_of_the_lattice_are_left_out():
    x = torch.zeros(1, 1, 1, 3).double()
    attack = Manitest(transform=Plane(), limits=(1.0, 1.0), grid=(9, 3), radius=4, bounds=None)
    truth = (attack._lattice(x) @ MIX.T).norm(dim=1)
    torch.testing.assert_close(attack.distances(x)[0].flatten(), truth, rtol=0.02, atol=1e-9)


def test_a_product_of_groups_adds_in_squares():
    @dataclass(frozen=True)
    class Product(Plane):
        def __call__(self, inputs, parameters, rng=None):
            return inputs + torch.nn.functional.pad(parameters, (0, 1)).view(-1, 1, 1, 3)

    u = manitest(Product(), 33).distances(torch.zeros(1, 1, 1, 3).double())[0][0]
    a, b = torch.meshgrid(torch.arange(-16, 17) / 16, torch.arange(-16, 17) / 16, indexing="ij")
    torch.testing.assert_close(u, torch.hypot(a, b).double(), rtol=0.01, atol=0)


def test_a_periodic_translation_is_as_long_as_the_shift_times_the_slope():
    x = blob()
    attack = Manitest(
        transform=Translation(padding="periodic"), limits=(6.0, 6.0), grid=(25, 13), bounds=None
    )
    u = attack.distances(x)[0][0]
    right = torch.linspace(-6, 6, 25, dtype=torch.float64).abs()
    torch.testing.assert_close(u[:, 6], right * slope(x), rtol=0.02, atol=1e-9)
    # The image is constant down its columns: shifts along them cost nothing.
    torch.testing.assert_close(u, u[:, 6:7].expand_as(u), rtol=0.02, atol=1e-9)


def test_rotating_what_is_round_costs_next_to_nothing():
    u = torch.linspace(-1, 1, 41, dtype=torch.float64)
    radius = torch.hypot(u[None], u[:, None])
    round_, other = torch.exp(-8 * radius**2)[None, None], torch.exp(-8 * radius**2) * (1 + u)
    attack = manitest(Rotation(), 31, (90.0,))
    cost = attack.distances(torch.cat([round_, other[None, None]]))[0][:, -1]
    assert cost[0] < 0.05 * round_.norm()
    assert cost[0] < 0.2 * cost[1]


def test_the_size_is_the_distance_to_the_boundary():
    network, x = nn.Sequential(nn.Flatten(), nn.Linear(3, 2)).double(), torch.zeros(6, 1, 1, 3).double()
    w, gap = torch.tensor([1.0, -2.0, 0.5]).double(), torch.linspace(0.1, 0.6, 6).double()
    network[1].weight.data, network[1].bias.data = torch.stack([0 * w, w]), torch.zeros(2).double()
    x[:, 0, 0, 0] = -gap
    # The nearest point of the half-plane <A^T w, theta> >= gap, in the metric A^T A.
    slope = MIX.T @ w
    truth = gap / (slope @ torch.linalg.solve(MIX.T @ MIX, slope)).sqrt()
    for side, ratio in ((9, 1.02), (17, 1.02), (65, 1.01)):
        found = manitest(Plane(), side)(network, x, torch.zeros(6, dtype=torch.int64))
        assert (found.size >= truth * (1 - 1e-9)).all()
        # The first node behind the boundary is seldom the end of the shortest path across it.
        assert (found.size <= truth * ratio).all()


def images(count=12):
    torch.manual_seed(3)
    return linear((1, 8, 8), 10), torch.rand(count, 1, 8, 8, dtype=torch.float64)


attack = Manitest(transform=Translation(), limits=(2.0, 2.0), grid=(9, 9))


def test_the_triangle_inequality_holds_and_no_path_is_shorter_than_its_chord():
    _, x = images(3)
    u = attack.distances(x)[0].flatten(1)
    lattice = attack._lattice(x)
    moved = attack.apply(x.repeat_interleave(81, 0), lattice.repeat(3, 1)).view(3, 81, -1)
    chord = (moved - moved[:, 40:41]).norm(dim=2)
    assert (u >= chord * (1 - 1e-12)).all()
    near = torch.cdist(lattice, lattice, p=torch.inf) < 0.6
    longest = u[:, :, None] + torch.cdist(moved, moved, compute_mode="donot_use_mm_for_euclid_dist")
    assert (u[:, None] <= longest + 1e-12)[:, near].all()


def test_what_is_found_is_at_the_boundary_and_measured_again():
    network, x = images()
    found = attack(network, x, torch.zeros(12, dtype=torch.int64))
    assert found.size.isfinite().any()
    torch.testing.assert_close(attack.measure(x, found.inputs, found.parameters), found.size)
    shorter = found.parameters.clone()
    shorter[:, -1] *= 0.5
    small = attack.measure(x, found.inputs, shorter)
    chord = (found.inputs - x).flatten(1).norm(dim=1)
    assert (small[chord > 0.51 * found.size].isinf()).all()
    assert attack.measure(x, found.inputs + 0.01, found.parameters).isinf().all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Manitest(limits=(30.0,)), "a positive number for each of angle in degrees, shift to"),
        (lambda: Manitest(grid=(5, 4, 5)), "grid must be an odd number of nodes"),
        (lambda: Manitest(radius=0), "radius must be positive"),
    ],
)
def test_wrong_hyper_parameters_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
