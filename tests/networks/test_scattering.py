"""The scattering transform: small wavelets, small differences, small effects of motion."""

from itertools import pairwise
from math import pi

import pytest
import torch

from robust_train import Translation
from robust_train.networks.scattering import Scattering, _bank, _mirrored

SIZES = [((8, 8), 2), ((28, 28), 3), ((32, 32), 2), ((9, 14), 1)]
sizes = pytest.mark.parametrize(("size", "scales"), SIZES)


def images(size, count=8, seed=0, channels=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, *size, generator=generator, dtype=torch.float64)


def transform(size, scales, **fields):
    return Scattering(size, scales, **{"angles": 4, **fields}).double()


def by_hand(x, phi, psi, stride):
    """Of one image in one channel, in the space of pixels: sums over all shifts."""

    def convolved(x, transfer):
        kernel, (height, width) = torch.fft.ifft2(transfer.to(torch.complex128)), x.shape
        shifted = [kernel[i, j] * x.roll((i, j), (0, 1)) for i in range(height) for j in range(width)]
        return torch.stack(shifted).sum(0)

    u = {(): x}
    for j1, row in enumerate(psi):
        for k1, wavelet in enumerate(row):
            u[j1, k1] = convolved(x.to(torch.complex128), wavelet).abs()
    for j1 in range(len(psi)):
        for j2 in range(j1 + 1, len(psi)):
            for k1 in range(len(psi[j1])):
                for k2, wavelet in enumerate(psi[j2]):
                    u[j1, k1, j2, k2] = convolved(u[j1, k1].to(torch.complex128), wavelet).abs()
    average = {path: convolved(v.to(torch.complex128), phi).real[::stride, ::stride] for path, v in u.items()}
    order = [()]
    for j1 in range(len(psi)):
        order += [(j1, k1) for k1 in range(len(psi[j1]))]
        later = range(j1 + 1, len(psi))
        each = range(len(psi[j1]))
        order += [(j1, k1, j2, k2) for j2 in later for k1 in each for k2 in each]
    return torch.stack([average[path] for path in order])


def test_it_is_that_of_a_sum_over_all_shifts():
    scattering, x = transform((8, 9), 2, angles=2), images((8, 9), channels=2, count=2)
    found = scattering(x).view(2, 2, scattering.paths, 2, 3)
    for row in range(2):
        for channel in range(2):
            expected = by_hand(x[row, channel], scattering.phi, scattering.psi, 4)
            torch.testing.assert_close(found[row, channel], expected, rtol=0, atol=1e-12)


@sizes
def test_waves_gain_no_energy_and_lose_little(size, scales):
    phi, psi = _bank(size, scales, 8)
    energy = phi.square() + (psi.square() + _mirrored(psi).square()).sum((0, 1)) / 2
    assert energy.max() <= 1 + 1e-12
    assert energy[0, 0] == 1
    assert (psi[..., 0, 0] == 0).all()
    height, width = (torch.fft.fftfreq(n, dtype=torch.float64).abs() for n in size)
    inner = torch.maximum(height[:, None], width) < 0.4
    assert energy[inner].min() > 0.2


def test_wavelets_point_along_their_angles_at_their_scales():
    _, psi = _bank((32, 32), 3, 4)
    v, u = torch.meshgrid(*[2 * pi * torch.fft.fftfreq(32, dtype=torch.float64)] * 2, indexing="ij")
    weight = psi.square() / psi.square().sum((2, 3), keepdim=True)
    center = torch.stack([(weight * u).sum((2, 3)), (weight * v).sum((2, 3))], -1)
    for j in (1, 2):  # at the finest scale the frequency plane folds over
        for k in range(4):
            angle = torch.tensor(pi * k / 4)
            expected = 3 * pi / 4 / 2**j * torch.stack([angle.cos(), angle.sin()])
            assert (center[j, k] - expected).norm() < 0.2 * expected.norm()


@sizes
def test_constants_vanish_beyond_order_zero(size, scales):
    found = transform(size, scales)(torch.full((1, 1, *size), 0.7, dtype=torch.float64))
    torch.testing.assert_close(found[:, 0], torch.full_like(found[:, 0], 0.7))
    assert found[:, 1:].abs().max() < 1e-12


@sizes
@pytest.mark.parametrize("stride", [1, None])
def test_random_pairs_come_no_farther_apart(size, scales, stride):
    scattering = transform(size, scales, stride=stride)
    x, y = images(size, channels=2), images(size, seed=1, channels=2)
    for scale in (1.0, 1e-3):
        assert ratio(scattering, x, x + scale * (y - x)).max() <= 1 + 1e-6


def ratio(scattering, x, y):
    return (scattering(x) - scattering(y)).flatten(1).norm(dim=1) / (x - y).flatten(1).norm(dim=1)


@pytest.mark.parametrize(("size", "scales"), [SIZES[0], SIZES[3]])
@pytest.mark.parametrize("stride", [1, None])
def test_pairs_that_are_searched_for_come_no_farther_apart(size, scales, stride):
    scattering = transform(size, scales, stride=stride)
    pair = torch.cat([images(size, 4), images(size, 4, seed=1)]).requires_grad_()
    optimizer = torch.optim.Adam([pair], lr=0.05)
    before = ratio(scattering, *pair.chunk(2)).detach()
    for _ in range(40):
        optimizer.zero_grad()
        (-ratio(scattering, *pair.chunk(2)).sum()).backward()
        optimizer.step()
    after = ratio(scattering, *pair.chunk(2)).detach()
    assert (after > before).all()
    assert after.max() <= 1 + 1e-6


def test_the_bound_is_met_by_constants():
    x = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(ratio(transform((8, 8), 2, stride=1), x, x + 1), torch.ones(1).double())


def test_a_shift_changes_less_the_more_scales_there_are():
    x = images((32, 32))
    y = Translation(padding="periodic")(x, torch.tensor([[2.0, 1.0]]).double().expand(8, -1))
    change = []
    for scales in (1, 2, 3, 4):
        scattering = transform((32, 32), scales, stride=1)
        a, b = scattering(x)[:, 1:], scattering(y)[:, 1:]
        change.append(((a - b).flatten(1).norm(dim=1) / a.flatten(1).norm(dim=1)).max())
    assert all(after < 0.75 * before for before, after in pairwise(change)), change
    assert change[-1] < 0.15


def test_whole_strides_shift_what_comes_out():
    scattering, x = transform((8, 8), 2, angles=2), images((8, 8))
    torch.testing.assert_close(scattering(x.roll((4, -4), (2, 3))), scattering(x).roll((1, -1), (2, 3)))


def test_a_deformation_changes_it_in_proportion_to_its_gradient():
    scattering, changes, pixels = transform((32, 32), 3, stride=1), [], []
    u = torch.arange(32, dtype=torch.float64)
    for amplitude in (0.1, 0.2, 0.4, 0.8):
        moved = u - amplitude * torch.sin(2 * pi * u / 32)
        gradient = amplitude * 2 * pi / 32
        for frequency in (2, 4, 8, 12):
            x, y = (torch.cos(2 * pi * frequency * v / 32).expand(1, 1, 32, 32) for v in (u, moved))
            changes.append((scattering(y) - scattering(x)).norm() / (gradient * x.norm()))
            pixels.append((y - x).norm() / (gradient * x.norm()))
    assert max(changes) < 2.5, max(changes)
    assert max(pixels) > 4 * max(changes), max(pixels)


def test_half_precision_is_avoided():
    x = images((8, 8)).float()
    scattering = Scattering((8, 8), 2)
    expected = scattering(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = scattering(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"average over 16 pixels, and the images have 8x8: give fewer"):
        Scattering((8, 8), scales=4)
    with pytest.raises(ValueError, match=r"^Scattering: scales, angles and stride must be positive"):
        Scattering((8, 8), angles=0)
