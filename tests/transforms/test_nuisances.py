"""Light, contrast and blur: identities, closed forms and one parameter for each image."""

import math

import pytest
import torch

from robust_train import Brightness, Contrast, Gamma, GaussianBlur

EVERY = [Brightness(), Contrast(), Gamma(), GaussianBlur()]
every = pytest.mark.parametrize("transform", EVERY, ids=lambda t: type(t).__name__)


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


@every
@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (3, 3, 5, 2), (0, 1, 4, 4)])
def test_the_identity_changes_nothing(transform, shape):
    x = torch.rand(shape)
    torch.testing.assert_close(transform(x, transform.neutral(x)), x, rtol=0, atol=1e-6)


@every
def test_each_image_has_its_own_parameter(transform):
    x, theta = torch.rand(3, 2, 6, 6), column(0.4, 0.7, 1.5)
    together = transform(x, theta)
    for k in range(3):
        torch.testing.assert_close(together[k : k + 1], transform(x[k : k + 1], theta[k : k + 1]))
    assert (together - x).abs().flatten(1).amax(1).min() > 1e-3


@every
def test_gradients_reach_image_and_parameter(transform):
    x = (0.1 + 0.8 * torch.rand(2, 1, 4, 4, dtype=torch.float64)).requires_grad_()
    theta = column(0.3, 0.6).requires_grad_()
    assert torch.autograd.gradcheck(transform, (x, theta))


def test_contrast_keeps_the_mean_and_scales_the_rest():
    x = torch.rand(2, 1, 4, 4, dtype=torch.float64)
    y = Contrast()(x, column(math.log(2), -math.log(2)))
    torch.testing.assert_close(y.mean((1, 2, 3)), x.mean((1, 2, 3)))
    torch.testing.assert_close(y.flatten(1).std(1) / x.flatten(1).std(1), torch.tensor([2.0, 0.5]).double())


def test_two_gammas_multiply():
    x = torch.rand(1, 1, 4, 4, dtype=torch.float64)
    twice = Gamma()(Gamma()(x, column(0.3)), column(0.4))
    torch.testing.assert_close(twice, Gamma()(x, column(0.7)))
    assert torch.equal(Gamma()(torch.zeros(1, 1, 2, 2), column(1.0)), torch.zeros(1, 1, 2, 2))


def test_two_blurs_add_their_variances():
    x = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    x[..., 20, 20] = 1
    once = GaussianBlur()(x, column(2.5))
    twice = GaussianBlur()(GaussianBlur()(x, column(1.5)), column(2.0))
    torch.testing.assert_close(once, twice, rtol=0, atol=2e-5)
    u = torch.arange(41.0).double() - 20
    torch.testing.assert_close(
        (once[0, 0].sum(0) * u.square()).sum(), torch.tensor(6.25).double(), rtol=1e-3, atol=0
    )


def test_blur_leaves_a_constant_and_either_sign_is_the_same():
    constant = torch.full((1, 3, 6, 7), 0.3)
    torch.testing.assert_close(GaussianBlur()(constant, column(4.0)), constant)
    x = torch.rand(1, 1, 6, 6)
    assert torch.equal(GaussianBlur()(x, column(1.2)), GaussianBlur()(x, column(-1.2)))
