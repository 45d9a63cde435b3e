"""Norms of convolutions against the matrix that each of them is."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, pad

from robust_train import circular_norm, convolution_bound, power_iteration

CASES = [  # out, in, kernel, stride, groups
    (3, 2, 3, 1, 1),
    (2, 3, 1, 1, 1),
    (4, 4, 3, 1, 2),
    (3, 2, 2, 1, 1),
    (2, 2, 5, 1, 1),
    (4, 2, 3, 2, 1),
    (4, 4, 3, 2, 2),
    (2, 1, 2, 2, 1),
    (2, 1, 5, 3, 1),
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def kernel_of(case):
    out, channels, k, _, groups = case
    generator = torch.Generator().manual_seed(k)
    return torch.randn(out, channels // groups, k, k, generator=generator, dtype=torch.float64)


def wrapped_around(kernel, stride, groups, size):
    """Circular convolution, its window at the lower right of each pixel."""
    k = kernel.shape[2]

    def convolve(x):
        x = torch.cat([x] * (1 + -(-k // size)), 2)[:, :, : size + k - 1]
        x = torch.cat([x] * (1 + -(-k // size)), 3)[:, :, :, : size + k - 1]
        return conv2d(x, kernel, stride=stride, groups=groups)

    return convolve


def matrix(linear, shape):
    """One column for each pixel of the input."""
    unit = torch.eye(shape[0] * shape[1] * shape[2], dtype=torch.float64).view(-1, *shape)
    return linear(unit).flatten(1).T


def spectral(linear, shape):
    return torch.linalg.matrix_norm(matrix(linear, shape), 2).item()


@every_case
def test_the_norm_of_a_circular_convolution_is_that_of_its_matrix(case):
    _, channels, _, stride, groups = case
    kernel, size = kernel_of(case), 6
    truth = spectral(wrapped_around(kernel, stride, groups, size), (channels, size, size))
    assert circular_norm(kernel, (size, size), stride, groups).item() == pytest.approx(truth, rel=1e-12)


def test_a_kernel_larger_than_its_image_wraps_around():
    kernel = kernel_of((2, 2, 5, 1, 1))
    truth = spectral(wrapped_around(kernel, 1, 1, 3), (2, 3, 3))
    assert circular_norm(kernel, (3, 3)).item() == pytest.approx(truth, rel=1e-12)


@every_case
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_bound_is_above_the_norm_on_every_image(case, padding):
    _, channels, _, stride, groups = case
    kernel = kernel_of(case)
    bound = convolution_bound(kernel, stride, groups).item()

    def padded(x):
        return conv2d(x, kernel, stride=stride, padding=padding, groups=groups)

    for size in (5, 8):
        assert spectral(padded, (channels, size, size)) <= bound * (1 + 1e-12)
    around = circular_norm(kernel, (30 * stride, 30 * stride), stride, groups).item()
    assert around <= bound * (1 + 1e-12)
    assert bound <= 1.02 * around


@pytest.mark.parametrize("grid", [2, 4, 16])
def test_the_bound_holds_where_the_grid_misses_the_largest_frequency(grid):
    """With taps a, b, c of opposite a and c the largest value is at cos w = -b (a + c) / (4 a c)."""
    middle = (2.5 * grid / 8 // 1 + 0.5) / (3 * grid)  # half-way between two frequencies of the grid
    taps = torch.tensor([1.0, 4 * math.cos(2 * math.pi * middle), -0.5], dtype=torch.float64)
    kernel = torch.outer(taps, taps)[None, None]
    fine = circular_norm(kernel, (6 * grid, 6 * grid)).item()  # has that frequency
    assert circular_norm(kernel, (3 * grid, 3 * grid)).item() < 0.9999 * fine
    assert fine <= convolution_bound(kernel, grid=grid).item()


@pytest.mark.parametrize(("grid", "share"), [(16, 0.01), (8, 0.04), (4, 0.18)])
@pytest.mark.parametrize("k", [3, 7])
def test_the_bound_comes_as_near_as_it_says(grid, share, k):
    kernel = torch.ones(1, 1, k, k, dtype=torch.float64)  # its largest value, k * k, is on every grid
    excess = convolution_bound(kernel, grid=grid).item() / k**2 - 1
    assert 0 < excess < (share / 2 if k == 3 else share)


def test_a_dilation_is_no_more_than_the_same_kernel():
    kernel = kernel_of((3, 2, 3, 1, 1))
    truth = spectral(lambda x: conv2d(x, kernel, dilation=2, padding=2), (2, 9, 9))
    assert truth <= convolution_bound(kernel).item()


@every_case
def test_power_iteration_comes_from_below(case):
    _, channels, _, stride, groups = case
    kernel = kernel_of(case)

    def padded(x):
        return conv2d(pad(x, (1, 1, 1, 1)), kernel, stride=stride, groups=groups)

    truth = spectral(padded, (channels, 7, 7))
    few, many = (power_iteration(padded, (channels, 7, 7), steps) for steps in (3, 300))
    assert few <= many + 1e-12
    assert 0.999 * truth <= many <= truth * (1 + 1e-12)


def test_power_iteration_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    power_iteration(lambda x: 2 * x, (3,))
    assert torch.equal(torch.get_rng_state(), before)


def test_zero_has_norm_zero():
    zero = torch.zeros(2, 2, 3, 3)
    assert convolution_bound(zero).item() == circular_norm(zero, (4, 4)).item() == 0
    assert power_iteration(lambda x: 0 * x, (3,)) == 0


def test_an_image_that_the_stride_does_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"^circular_norm: 7x8 pixels are no multiple of the stride 2\.$"):
        circular_norm(torch.zeros(1, 1, 3, 3), (7, 8), stride=2)
