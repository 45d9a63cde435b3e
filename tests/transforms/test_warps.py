"""Warps against what is known of them: identities, whole pixels, quarter turns and groups."""

import pytest
import torch

from robust_train import (
    Affine,
    Deformation,
    Dilation,
    Perturbation,
    Rigid,
    Rotation,
    Similarity,
    Translation,
    WorstPose,
)
from robust_train.recipe.building import build
from robust_train.recipe.checking import check
from robust_train.recipe.names import CHECKPOINT
from robust_train.transforms import Transform

WARPS = [Translation, Rotation, Dilation, Rigid, Similarity, Affine, Deformation]
every = pytest.mark.parametrize("warp", WARPS)


def images(count=3, channels=2, height=8, width=7, dtype=torch.float64):
    return torch.rand(count, channels, height, width, dtype=dtype)


def smooth(side=65):
    """A bump in the middle of a wide image: what is interpolated next to exactly."""
    u = torch.linspace(-1, 1, side, dtype=torch.float64)
    return torch.exp(-((u - 0.1)[None, :] ** 2 + 2 * (u + 0.05)[:, None] ** 2) / 0.08)[None, None]


def some(warp, spread=0.1):
    scale = torch.tensor([100.0 if "degrees" in name else 1.0 for name in warp.names])
    return spread * scale.double()[None] * torch.linspace(1, 0.5, len(scale))


@every
@pytest.mark.parametrize("padding", ["zeros", "border", "periodic"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_the_identity_changes_nothing(warp, padding, dtype, tolerance):
    for x in (images(dtype=dtype), images(channels=3, height=5, width=2, dtype=dtype), images(width=1)):
        same = warp(padding=padding)(x, warp().neutral(x))
        torch.testing.assert_close(same, x, rtol=0, atol=tolerance)


@pytest.mark.parametrize("padding", ["zeros", "border", "periodic"])
def test_shifts_by_whole_pixels_are_exact(padding):
    x = images(1)
    for right, down in [(2, 0), (-1, 3), (0, -8), (20, -30)]:
        rows, columns = torch.arange(8) - down, torch.arange(7) - right
        if padding == "periodic":
            expected = x[:, :, rows % 8][..., columns % 7]
        else:
            expected = x[:, :, rows.clamp(0, 7)][..., columns.clamp(0, 6)]
        if padding == "zeros":
            inside = ((rows >= 0) & (rows < 8))[:, None] & ((columns >= 0) & (columns < 7))
            expected = expected * inside
        shifted = Translation(padding=padding)(x, torch.tensor([[right, down]]))
        torch.testing.assert_close(shifted, expected, rtol=0, atol=1e-12)


def test_quarter_turns_are_exact_and_counter_clockwise():
    x = images(height=7)
    for turns in (1, 2, 3):
        turned = Rotation()(x, torch.full((3, 1), 90.0 * turns))
        torch.testing.assert_close(turned, x.rot90(turns, (2, 3)), rtol=0, atol=1e-12)


def test_each_image_has_its_own_parameter():
    x, pose = images(), torch.tensor([[10.0, 1.0, 0.5], [0.0, 0.0, 0.0], [-40.0, 0.2, 3.0]])
    alone = [Rigid()(x[k : k + 1], pose[k : k + 1]) for k in range(3)]
    torch.testing.assert_close(Rigid()(x, pose), torch.cat(alone))


@pytest.mark.parametrize("warp", [Translation, Rotation, Dilation, Affine])
def test_multiples_of_a_parameter_form_a_group(warp):
    x, a = smooth(), some(warp)
    once, twice = warp()(x, a), warp()(x, 2 * a)
    error = (warp()(once, a) - twice).abs().max()
    assert error < 0.02 < (twice - x).abs().max()
    assert (warp()(once, -a) - x).abs().max() < 0.02


def test_the_families_agree_where_they_meet():
    x = smooth()
    turn, shift, scale = torch.tensor([[20.0]]), torch.tensor([[1.5, -2.0]]), torch.tensor([[0.2]])
    zero = torch.zeros(1, 2)
    pairs = [
        (Rigid()(x, torch.cat([turn, zero], 1)), Rotation()(x, turn)),
        (Rigid()(x, torch.cat([0 * turn, shift], 1)), Translation()(x, shift)),
        (Similarity()(x, torch.cat([turn, 0 * scale, shift], 1)), Rigid()(x, torch.cat([turn, shift], 1))),
        (Similarity()(x, torch.cat([0 * turn, scale, zero], 1)), Dilation()(x, scale)),
        (Affine()(x, torch.cat([scale, zero, zero, 0 * turn], 1)), Dilation()(x, scale)),
        (Affine()(x, torch.cat([0 * scale, turn, zero, zero], 1)), Rotation()(x, turn)),
        (Affine()(x, torch.cat([zero, zero, shift], 1)), Translation()(x, shift)),
    ]
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


@every
@pytest.mark.parametrize("padding", ["zeros", "border", "periodic"])
def test_gradients_of_image_and_parameter_are_those_of_differences(warp, padding):
    x, pose = images(1, 1, 5, 4).requires_grad_(), some(warp, 0.037).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, p: warp(padding=padding)(x, p), (x, pose), atol=1e-4)


def test_a_deformation_moves_the_middle_by_its_amplitude_and_the_edges_least():
    across = torch.arange(65, dtype=torch.float64).expand(1, 1, 65, 65)
    pose = torch.tensor([[2.5, 0.0] + [0.0] * 6])
    moved = across - Deformation(padding="border")(across, pose)
    torch.testing.assert_close(moved[0, 0, 32, 32], torch.tensor(2.5).double())
    assert moved.abs().amax() <= 2.5 + 1e-9
    assert moved[0, 0, [0, -1]].abs().amax() < 0.1
    assert WorstPose(transform=Deformation(), limits=(2.0,) * 8, grid=(), draws=3).poses == 4


def test_a_recipe_names_them():
    node = {"class_path": "Rotation", "init_args": {"padding": "border"}}
    assert build(check(node, Transform, "transform", CHECKPOINT), CHECKPOINT) == Rotation(padding="border")
    nested = {"class_path": "WorstPose", "init_args": {"transform": node, "limits": [9], "grid": [3]}}
    built = build(check(nested, Perturbation, "regime", CHECKPOINT), CHECKPOINT)
    assert built == WorstPose(transform=Rotation(padding="border"), limits=(9,), grid=(3,))
