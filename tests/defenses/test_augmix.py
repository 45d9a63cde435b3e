"""AugMix: the operations by hand, the mixtures by their law, the divergence by its definition."""

from dataclasses import replace
from math import log

import pytest
import torch
from torch.nn.functional import cross_entropy

from robust_train import AugMix, Rotation, Translation
from robust_train.defenses import augmix
from robust_train.defenses.augmix import _jensen_shannon
from robust_train.defenses.augmix_operations import apply
from robust_train.randomness import Streams
from tests.defenses.examples import make_step
from tests.defenses.training import compare, streams
from tests.toy_networks import convolutional

X = torch.rand(3, 2, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def under(number, strength, x=X, turned=False):
    rows = torch.ones(len(x))
    return apply(x, (number * rows).long(), strength * rows, rows.bool() & turned)


def test_contrast_is_stretched_to_the_whole_range():
    found = under(0, 0.3, 0.2 + 0.5 * X)
    assert (found.amin((2, 3)) == 0).all()
    torch.testing.assert_close(found.amax((2, 3)), torch.ones(3, 2, dtype=torch.float64))
    assert torch.equal(found.flatten(2).argsort(2), X.flatten(2).argsort(2))


def test_levels_become_equally_frequent():
    found = under(1, 0.3).flatten(2).sort(2).values
    expected = torch.linspace(0, 1, 81, dtype=torch.float64)
    torch.testing.assert_close(found, expected.expand_as(found))


def test_few_levels_remain():
    for strength, levels in ((0.2, 16), (0.3, 8)):
        found = under(2, strength, torch.linspace(0, 1, 256).view(1, 1, 16, 16))
        assert len(found.unique()) == levels
        assert torch.equal((255 * found).round() % (256 // levels), torch.zeros_like(found))


def test_bright_pixels_are_inverted():
    expected = X.clone()
    expected[X >= 0.7] = 1 - X[X >= 0.7]
    torch.testing.assert_close(under(3, 0.3), expected)


@pytest.mark.parametrize("turned", [False, True])
def test_motions_are_those_of_the_original_units(turned):
    sign = -1.0 if turned else 1.0
    angle, shift = torch.tensor([[9.0 * sign]] * 3).double(), torch.tensor([[3.0 * sign, 0.0]] * 3).double()
    torch.testing.assert_close(under(4, 0.3, turned=turned), Rotation()(X, angle))
    torch.testing.assert_close(under(7, 1.0, turned=turned), Translation()(X, shift), rtol=0, atol=1e-9)
    down = Translation()(X, shift.flip(1))
    torch.testing.assert_close(under(8, 1.0, turned=turned), down, rtol=0, atol=1e-9)


def test_a_shear_moves_rows_in_proportion_to_their_height():
    x = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    x[..., 10] = 1
    columns = torch.arange(21, dtype=torch.float64)
    place = (under(5, 1.0, x) * columns).sum(3).flatten()
    torch.testing.assert_close(place - 10, 0.3 * (columns - 10), rtol=0, atol=1e-9)
    place = (under(6, 1.0, x.mT) * columns[:, None]).sum(2).flatten()
    torch.testing.assert_close(place - 10, 0.3 * (columns - 10), rtol=0, atol=1e-9)


def test_a_flat_image_stays_flat():
    flat = torch.full((1, 1, 4, 4), 0.5)
    for number in (0, 1):
        assert torch.equal(under(number, 0.3, flat), flat)


def test_each_image_has_its_own_mixture_and_its_own_draws():
    x, rng = torch.rand(1, 1, 8, 8).expand(6, -1, -1, -1), Streams.of(0, range(6))
    found = AugMix().mixture(x, rng)
    assert len({y.numpy().tobytes() for y in found}) == 6
    rows = torch.tensor([4, 1])
    torch.testing.assert_close(AugMix().mixture(x[rows], rng.take(rows)), found[rows])
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_rounds_nothing_but_the_images(dtype):
    x, rng = torch.rand(400, 1, 4, 4).to(dtype), Streams.of(0, range(400))
    found = AugMix().mixture(x, rng)
    assert torch.equal(found, AugMix().mixture(x.float(), rng).to(dtype))
    assert found.isfinite().all()


def test_shares_of_chains_are_uniform_on_the_simplex(monkeypatch):
    # Chain k is an image with a 1 in channel k: the mixture of zeros shows its share.
    chains = torch.eye(3).view(1, 3, 3, 1, 1)
    monkeypatch.setattr(AugMix, "_chains", lambda self, x, rng: chains.expand(len(x), -1, -1, -1, -1))
    found = AugMix().mixture(torch.zeros(6000, 3, 1, 1), Streams.of(0, range(6000))).flatten(1)
    kept = found.sum(1)
    assert abs(kept.mean() - 1 / 2) < 0.02
    assert abs(kept.var() - 1 / 12) < 0.005
    share = found / kept[:, None]
    assert (share.mean(0) - 1 / 3).abs().max() < 0.02
    assert (share.var(0) - 1 / 18).abs().max() < 0.005


def test_chains_have_one_to_three_operations_of_all_kinds(monkeypatch):
    seen = []

    def counted(x, operation, strength, turned):
        seen.append((operation, strength))
        return x + 1

    monkeypatch.setattr(augmix, "apply", counted)
    lengths = AugMix()._chains(torch.zeros(1000, 1, 1, 1), Streams.of(0, range(1000))).flatten()
    operations, strengths = (torch.cat(values) for values in zip(*seen, strict=True))
    assert lengths.unique(return_counts=True)[1].float().div(3000).sub(1 / 3).abs().max() < 0.03
    assert operations.bincount().float().div(9000).sub(1 / 9).abs().max() < 0.02
    assert 0.01 <= strengths.min() < 0.011 < 0.299 < strengths.max() <= 0.3


def test_the_divergence_is_that_of_three_predictions_from_their_mean():
    logits = torch.randn(3, 5, 4, dtype=torch.float64)
    p = logits.softmax(2)
    mean = p.mean(0)
    expected = (p * (p.log() - mean.log())).sum(2).mean(0)
    torch.testing.assert_close(_jensen_shannon(list(logits)), expected)
    same = _jensen_shannon([logits[0]] * 3)
    torch.testing.assert_close(same, torch.zeros_like(same))
    apart = _jensen_shannon(list(1e4 * torch.eye(3)[:, None]))
    torch.testing.assert_close(apart, torch.full((1,), log(3)))


def test_ten_steps_are_those_of_a_plain_loop():
    defense, drawn = AugMix(weight=4.0), []

    def perturb(network, x, y, number):
        drawn[:] = [streams(len(x), number).fold(0xA36)]
        return x

    def loss(network, x, perturbed, y):
        logits = network(perturbed)
        both = network(torch.cat([defense.mixture(x, drawn[0].fold(k)) for k in range(2)])).chunk(2)
        p = torch.stack([z.softmax(1) for z in (logits, *both)])
        divergences = (p * (p.log() - p.mean(0).log())).sum(2).mean(0)
        return (cross_entropy(logits, y, reduction="none") + 4.0 * divergences).mean()

    compare(defense, perturb, loss)


def test_it_mixes_what_is_clean():
    network, step = convolutional(), make_step(6)
    step = replace(step, logits=network(step.inputs))
    moved = replace(step, inputs=torch.rand_like(step.inputs))
    zero = torch.zeros(6)
    assert torch.equal(AugMix().loss(network, step, zero), AugMix().loss(network, moved, zero))
    assert (AugMix().loss(network, step, zero) > 0).all()


def test_what_has_no_meaning_is_refused():
    for fields in ({"weight": -1.0}, {"severity": 11.0}, {"width": 0}):
        with pytest.raises(ValueError, match=r"^AugMix: weight must be at least 0, severity from 0.1 to 10"):
            AugMix(**fields)


def test_an_empty_batch_stays_empty():
    assert AugMix().mixture(torch.rand(0, 1, 8, 8), Streams.of(0, [])).shape == (0, 1, 8, 8)
