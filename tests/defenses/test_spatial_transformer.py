"""A network that first puts its images straight."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, cross_entropy

from robust_train import PGD, AdversarialTraining, Rotation, SpatialTransformer
from tests.defenses.examples import make_step
from tests.snapshots import snapshot
from tests.toy_networks import convolutional


def straightened(theta=None, dtype=torch.float64, **fields):
    """Around the identity, so that it returns the images that a network would see."""
    wrapped = SpatialTransformer(**fields).wrap(nn.Identity()).to(dtype)
    if theta is not None:
        change = torch.tensor(theta, dtype=dtype) - torch.eye(2, 3, dtype=dtype)
        wrapped.localiser[-1].bias.data = change.flatten() / wrapped.rate
    return wrapped


@pytest.mark.parametrize(("shape", "channels"), [((1, 8, 8), 1), ((3, 32, 32), 3), ((1, 28, 20), 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_starts_as_the_identity(shape, channels, dtype):
    x = torch.rand(4, *shape, dtype=dtype)
    found = straightened(dtype=dtype, channels=channels)(x)
    torch.testing.assert_close(found, x, rtol=0, atol=32 * torch.finfo(dtype).eps)


def test_a_shift_by_whole_pixels_is_exact():
    x = torch.rand(3, 1, 8, 8, dtype=torch.float32)
    found = straightened([[1.0, 0.0, 2 * 2 / 8], [0.0, 1.0, -2 * 1 / 8]], torch.float32)(x)
    expected = torch.zeros_like(x)
    expected[..., 1:, :-2] = x[..., :-1, 2:]  # content goes two to the left and one down
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_places_are_counted_between_the_outer_edges():
    # Half the size about the center: pixels 0.5 beyond the middle of four, whose mean is read.
    x = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    found = straightened([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])(x)
    expected = avg_pool2d(x, 2)
    torch.testing.assert_close(found[..., 2:6, 2:6], expected, rtol=0, atol=1e-7)
    assert found[..., :2, :].abs().max() == 0


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(1)
    wrapped, x = straightened(width=2), torch.rand(2, 1, 6, 6, dtype=torch.float64)
    wrapped.localiser[-1].weight.data.normal_()
    wrapped.localiser[-1].bias.data.normal_()
    last = wrapped.localiser[-1].bias

    def of_both(x, bias):
        return torch.func.functional_call(wrapped, {"localiser.9.bias": bias}, x)

    assert wrapped.localiser[9] is wrapped.localiser[-1]
    x.requires_grad_()
    assert torch.autograd.gradcheck(of_both, (x, last.detach().requires_grad_()), atol=1e-6)


def test_the_network_inside_stays_usable_without_it():
    network, x = convolutional(), torch.rand(4, 1, 8, 8)
    before = network(x)
    wrapped = SpatialTransformer().wrap(network)
    assert wrapped.network is network
    assert torch.equal(network(x), before)
    bare = convolutional()
    inside = {k.removeprefix("network."): v for k, v in wrapped.state_dict().items() if k[0] == "n"}
    bare.load_state_dict(inside)
    assert torch.equal(bare.eval()(x), before)


def test_its_weights_make_a_round_trip():
    x, wrapped, copy = torch.rand(4, 1, 8, 8), *(SpatialTransformer().wrap(convolutional()) for _ in "ab")
    wrapped.localiser[-1].weight.data.normal_()
    copy.load_state_dict(wrapped.state_dict())
    assert torch.equal(copy(x), wrapped(x))


def test_making_it_leaves_the_random_state_alone():
    network = convolutional()
    before = snapshot(network)
    SpatialTransformer().wrap(network)
    assert snapshot(network) == before


def test_it_learns_to_turn_back_what_was_turned():
    # The network inside knows two letters upright, and learns nothing: what is gained is the localiser's.
    torch.manual_seed(0)
    letters = torch.zeros(2, 1, 8, 8)
    letters[0, :, 1:7, 2:4] = letters[0, :, 5:7, 2:7] = 1
    letters[1, :, 1:3, 1:7] = letters[1, :, 1:7, 3:5] = 1
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2, bias=False)).requires_grad_(False)
    network[1].weight.data = letters.flatten(1) - letters.flatten(1).mean(1, keepdim=True)
    labels, turning = torch.arange(2).repeat(32), Rotation()
    wrapped = SpatialTransformer().wrap(network)
    optimizer = torch.optim.Adam(wrapped.localiser.parameters(), lr=0.01)
    for step in range(81):
        x = turning(letters[labels], torch.rand(64, 1).double() * 180 - 90)
        right = (wrapped(x).argmax(1) == labels).float().mean()
        assert step > 0 or right < 0.85
        optimizer.zero_grad()
        cross_entropy(wrapped(x), labels).backward()
        optimizer.step()
    assert right > 0.95


def test_half_precision_leaves_places_in_single():
    wrapped = straightened(dtype=torch.float32)
    x = torch.rand(2, 1, 28, 28)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = wrapped(x)
    torch.testing.assert_close(found, x, rtol=0, atol=1e-5)


def test_a_slower_localiser_moves_the_map_in_proportion():
    x, changes = torch.rand(8, 1, 8, 8), []
    for rate in (0.1, 0.01):
        torch.manual_seed(0)
        wrapped = SpatialTransformer(rate=rate).wrap(convolutional())
        optimizer = torch.optim.Adam(wrapped.parameters(), lr=0.01, eps=1e-30)
        cross_entropy(wrapped.train()(x), torch.arange(8)).backward()
        optimizer.step()
        changes.append((wrapped.maps(x) - torch.eye(2, 3)).detach())
    torch.testing.assert_close(changes[0], 10 * changes[1], rtol=1e-3, atol=1e-6)


def test_an_attack_sees_through_it():
    wrapped, step = SpatialTransformer().wrap(convolutional()), make_step(6)
    wrapped.localiser[-1].weight.data.normal_(std=0.3)
    found = AdversarialTraining(PGD(eps=0.1, steps=3)).batch(wrapped, step).inputs
    before, after = (cross_entropy(wrapped(x), step.labels) for x in (step.inputs, found))
    assert after > before


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"^SpatialTransformer: channels, width and rate must be positive"):
        SpatialTransformer(rate=0.0)
    with pytest.raises(ValueError, match=r"built for 1 channels, and the images have 3: give it channels=3"):
        SpatialTransformer().wrap(nn.Flatten())(torch.rand(2, 3, 8, 8))
