"""Square: what it tries, what it may ask of the network, and what it finds."""

import numpy as np
import pytest
import torch

from robust_train import Goal, Square
from robust_train.attacking.gradients import Counted
from robust_train.perturbations.square import _pyramids, _Window
from tests.closed_forms import worst_margins
from tests.toy_networks import convolutional, linear


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.1), ("l2", 0.5)])
def test_what_it_breaks_can_be_broken_and_most_of_it_is(norm, eps):
    network, inputs = linear((1, 6, 6), 2), torch.rand(64, 1, 6, 6, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    truth = worst_margins(network, inputs, labels, norm, eps, (0.0, 1.0))
    found = Square(norm=norm, eps=eps, queries=1500)(network, inputs, labels)
    broken = Goal(labels).reached(network(found.inputs)).numpy()
    assert not broken[truth < 0].any()
    assert broken[truth > 0.1 * np.abs(truth).max()].mean() > 0.9
    assert (truth > 0).any()
    assert (truth < 0).any()


def test_it_asks_for_scores_alone_and_for_no_more_than_it_may():
    network, inputs = Counted(convolutional()), torch.rand(8, 1, 8, 8)
    labels = network(inputs).argmax(1)
    network.forwards = 0
    Square(norm="l2", eps=1e-4, queries=30)(network, inputs, labels)
    assert (network.forwards, network.backwards) == (8 * 31, 0)


def test_it_does_not_ask_about_what_changes_nothing():
    """On black pixels only one of two colours can ever change anything, and only once at each place."""
    network, inputs = (
        Counted(lambda x: x.flatten(1)[:, :2] - x.mean((1, 2, 3))[:, None]),
        torch.zeros(8, 1, 4, 4),
    )
    Square(eps=0.1, queries=500)(network, inputs, torch.zeros(8, dtype=torch.int64))
    assert 8 * 2 < network.forwards < 8 * 500 / 2


def test_it_never_asks_about_nothing():
    """Some networks cannot take a batch of no images."""
    network, asked = linear((1, 4, 4), 2, torch.float32), []

    def counting(x):
        asked.append(len(x))
        return network(x)

    Square(eps=1e-3, queries=200)(counting, torch.zeros(1, 1, 4, 4), torch.tensor([0]))
    assert min(asked) == 1


def test_what_is_fooled_is_asked_no_more():
    network, inputs = Counted(convolutional()), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    network.forwards = 0
    found = Square(eps=0.3, queries=200)(network, inputs, labels)
    assert (network(found.inputs).argmax(1) != labels).float().mean() > 0.7
    assert network.forwards < 64 * 100


def test_more_queries_of_the_same_schedule_never_find_less():
    """The margin never rises, and the draws are the same: only the windows shrink at other times."""
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    few, many = (
        Goal(labels).margin(network(Square(eps=0.05, queries=n)(network, inputs, labels).inputs))
        for n in (2, 300)
    )
    assert (many <= few).float().mean() > 0.95
    assert (many < Goal(labels).margin(network(inputs))).float().mean() > 0.95


def test_the_windows_shrink_as_published():
    shares = [Square(queries=10_000)._share(k) / 0.8 for k in (10, 11, 51, 201, 501, 1001, 9000)]
    assert shares == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 512]
    assert Square(queries=1000)._share(2) == 0.4


def test_a_window_is_a_square_inside_the_image():
    u, v = torch.rand(2, 500)
    mask = _Window.at(u, v, 3, 8, 5).mask
    assert (mask.sum((1, 2, 3)) == 9).all()
    assert mask.any(0).all()  # every pixel is in some


@pytest.mark.parametrize("side", [1, 2, 3, 7])
def test_a_pyramid_has_unit_norm_and_two_signs(side):
    r = _pyramids(side, torch.zeros(1))
    torch.testing.assert_close(r.norm(), torch.tensor(1.0))
    assert (r[: side // 2] > 0).all()
    assert (r[side // 2 :] < 0).all()
    if side == 7:
        assert r[:3].argmax() == 1 * 7 + 3  # the middle of the upper half


def test_an_l1_budget_is_refused():
    with pytest.raises(ValueError, match=r"^Square: norm must be linf or l2, not 'l1'\.$"):
        Square(norm="l1")


def test_a_start_without_a_margin_is_left_for_what_has_one():
    def network(x):  # class 1 where the first pixel is bright, and nothing where the last one is
        h = x.flatten(1)
        logits = torch.stack([0.02 - (h[:, 0] - 0.5), 0 * h[:, 0]], 1)
        return logits.masked_fill(h[:, 15:] > 0.55, torch.nan)

    inputs, labels = torch.full((40, 1, 4, 4), 0.5), torch.zeros(40, dtype=torch.int64)
    found = Square(eps=0.1, queries=400)(network, inputs, labels)
    assert Goal(labels).reached(network(found.inputs)).all()
