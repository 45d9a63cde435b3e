"""Total variation and printability against values that are known, and finite differences."""

import torch
from torch.autograd import gradcheck

from robust_train.transforms.printability import non_printability
from robust_train.transforms.total_variation import total_variation

COLORS = torch.tensor([[0.0, 0.0], [0.2, 0.9], [1.0, 0.5]], dtype=torch.float64)


def images(*shape):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_what_does_not_vary_has_none_and_a_gradient_of_zero():
    x = torch.full((2, 3, 4, 5), 0.3, requires_grad=True)
    (gradient,) = torch.autograd.grad(total_variation(x).sum(), x)
    assert torch.equal(total_variation(x), torch.zeros(2))
    assert torch.equal(gradient, torch.zeros_like(x))


def test_a_step_is_as_long_as_its_edge():
    x = torch.zeros(1, 1, 6, 4, dtype=torch.float64)
    x[..., 3:, :] = 0.5
    assert total_variation(x).item() == 0.5 * 4
    assert total_variation(10 * x.mT).item() == 5 * 4


def test_it_is_the_sum_written_out():
    x, expected = images(1, 2, 4, 5), 0.0
    for channel in x[0].tolist():
        for i in range(4):
            for j in range(5):
                down = channel[i + 1][j] - channel[i][j] if i < 3 else 0
                right = channel[i][j + 1] - channel[i][j] if j < 4 else 0
                expected += (down**2 + right**2) ** 0.5
    torch.testing.assert_close(total_variation(x).item(), expected)


def test_outside_of_the_mask_nothing_counts():
    x = images(2, 3, 6, 6)
    mask = torch.zeros(6, 6, dtype=torch.bool)
    mask[1:4, 2:5] = True
    torch.testing.assert_close(total_variation(x, mask), total_variation(x[..., 1:4, 2:5]))
    torch.testing.assert_close(
        non_printability(x[:, :2], COLORS, mask), non_printability(x[:, :2, 1:4, 2:5], COLORS)
    )


def test_what_is_printable_costs_nothing_and_the_rest_the_product_of_its_distances():
    x = COLORS.T[None, :, None]
    assert torch.equal(non_printability(x, COLORS), torch.zeros(1, dtype=torch.float64))
    x = images(1, 2, 3, 4)
    pixels = x[0].flatten(1).T
    expected = (pixels[:, None] - COLORS).norm(dim=2).prod(1).sum()
    torch.testing.assert_close(non_printability(x, COLORS)[0], expected)


def test_gradients_agree_with_finite_differences():
    x = images(2, 2, 4, 4).requires_grad_()
    assert gradcheck(total_variation, x)
    assert gradcheck(lambda x: non_printability(x, COLORS), x)
