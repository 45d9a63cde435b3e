"""A kernel, a line and a zoom for each image."""

import torch
from torch.nn.functional import conv2d, pad

from robust_train.transforms.corruptions.per_sample import convolve, line, zoom


def column(*values):
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1)


def test_a_convolution_is_that_of_its_definition():
    x, kernel = torch.rand(3, 2, 8, 5, dtype=torch.float64), torch.rand(3, 7, 7, dtype=torch.float64)
    y = convolve(x, kernel)
    for image, k, blurred in zip(x, kernel, y, strict=True):
        truth = conv2d(pad(image[:, None], (3, 3, 3, 3), mode="replicate"), k.flip(0, 1)[None, None])
        torch.testing.assert_close(blurred, truth[:, 0])


def test_a_line_smears_to_one_side_over_twice_its_radius():
    point = torch.zeros(2, 1, 15, 15, dtype=torch.float64)
    point[..., 7, 7] = 1
    kernel = line(column(2, 2), column(1e6, 1.0), torch.tensor([0.0, -90.0]), 4)
    y = convolve(point, kernel)[:, 0]
    torch.testing.assert_close(y[0, 7, 3:8], torch.full((5,), 0.2, dtype=torch.float64))
    half = torch.exp(-torch.arange(5, dtype=torch.float64).square() / 2)
    torch.testing.assert_close(y[1, 7:12, 7], half / half.sum())
    assert y[0, :7].abs().max() < 1e-12


def test_the_last_step_of_a_line_fades_in():
    kernel = line(column(1.25), column(1e6), torch.zeros(1), 4)[0, 4]
    truth = torch.tensor([0, 0.5, 1, 1, 1, 0, 0, 0, 0], dtype=torch.float64) / 3.5
    torch.testing.assert_close(kernel, truth)


def test_a_line_of_no_width_is_a_point():
    kernel = line(column(0, 9), column(0, 0), torch.zeros(2), 18)
    assert torch.equal(kernel.nonzero(), torch.tensor([[0, 18, 18], [1, 18, 18]]))
    assert torch.equal(kernel.sum((1, 2)), torch.ones(2, dtype=torch.float64))


def test_a_zoom_scales_the_plane_around_the_center():
    u = torch.linspace(-1, 1, 9, dtype=torch.float64)
    ramp = (u + 2 * u[:, None])[None, None].expand(2, 1, 9, 9)
    torch.testing.assert_close(zoom(ramp, column(1.0, 2.0)), ramp / column(1.0, 2.0))
