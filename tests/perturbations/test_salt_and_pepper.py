"""Salt and pepper against a search of every number of pixels."""

import pytest
import torch

from robust_train import SaltAndPepper
from robust_train.randomness import Streams
from tests.toy_networks import convolutional, linear


class FewChanges(torch.nn.Module):
    """Leaves its class once more than ``most`` components of the image differ from ``clean``."""

    def __init__(self, clean, most):
        super().__init__()
        self.clean, self.most = clean, most

    def forward(self, x):
        changed = (x != self.clean[: len(x)]).flatten(1).sum(1) - self.most - 0.5
        return torch.stack([torch.zeros_like(changed), changed], 1).to(x)


def noises(inputs):
    """The images with 0, 1, 2, ... pixels of noise, from the streams of the samples."""
    drawn = Streams.of(0, range(len(inputs))).uniform((2, 1, *inputs.shape[2:])).to(inputs)
    colour, order = (drawn[:, 0] >= 0.5).to(inputs), drawn[:, 1].flatten(1).argsort(1)
    x = inputs.clone()
    yield x
    for place in order.T:
        row, column = place // inputs.shape[3], place % inputs.shape[3]
        x = x.clone()
        index = torch.arange(len(x))
        x[index, :, row, column] = colour[index, :, row, column]
        yield x


@pytest.mark.parametrize("most", [0, 1, 6, 40, 62])
def test_it_finds_the_number_of_pixels_at_which_the_label_changes(most):
    inputs = 0.1 + 0.8 * torch.rand(1, 1, 8, 8)
    found = SaltAndPepper()(FewChanges(inputs, most), inputs, torch.zeros(1, dtype=torch.int64))
    assert found.size.item() == most + 1


def test_at_what_it_finds_the_label_changes_and_at_one_pixel_less_it_does_not():
    network, inputs = convolutional(dtype=torch.float64), torch.rand(32, 1, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    found = SaltAndPepper()(network, inputs, labels)
    nested = list(noises(inputs))
    broken = found.size.isfinite()
    assert broken.any()
    counts = torch.stack([(x == found.inputs).flatten(1).all(1) for x in nested]).int().argmax(0)
    for row in broken.nonzero().flatten():
        assert torch.equal(nested[counts[row]][row], found.inputs[row])
        before = nested[counts[row] - 1][row : row + 1]
        assert network(before).argmax(1) == labels[row]


def test_channels_share_their_noise():
    network, inputs = linear((3, 4, 4), 5), 0.1 + 0.8 * torch.rand(32, 3, 4, 4, dtype=torch.float64)
    found = SaltAndPepper()(network, inputs, network(inputs).argmax(1))
    changed = found.inputs != inputs
    assert changed.any()
    assert torch.equal(changed.all(1), changed.any(1))
    assert (found.inputs[changed] == found.inputs[changed].round()).all()


def test_a_pixel_that_has_the_colour_already_does_not_count():
    network, inputs = linear((1, 6, 6), 4), torch.rand(64, 1, 6, 6, dtype=torch.float64).round()
    found = SaltAndPepper()(network, inputs, network(inputs).argmax(1))
    broken = found.size.isfinite()
    assert broken.any()
    assert torch.equal(found.size[broken], (found.inputs != inputs).flatten(1).sum(1)[broken].double())


def test_more_orders_change_fewer_pixels_in_the_median():
    network, inputs = linear((1, 8, 8), 6), torch.rand(128, 1, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    one, ten = (SaltAndPepper(restarts=k)(network, inputs, labels).size.median() for k in (1, 10))
    assert ten < 0.8 * one


def test_an_order_of_more_pixels_that_changes_fewer_of_them_counts():
    """Half of the noise has the colour of the black and white image already."""
    network, inputs = linear((1, 8, 8), 6), torch.rand(128, 1, 8, 8, dtype=torch.float64).round()
    labels, before = network(inputs).argmax(1), torch.inf
    for k in (1, 2, 4, 8):
        size = SaltAndPepper(restarts=k, growth=1.01)(network, inputs, labels).size
        assert (size <= before).all()
        before = size


@pytest.mark.parametrize(("name", "value"), [("restarts", 0), ("growth", 1.0), ("bounds", None)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^SaltAndPepper: {name} must be"):
        SaltAndPepper(**{name: value})
