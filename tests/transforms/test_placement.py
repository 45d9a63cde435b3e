"""Placements against blocks and whole pixels."""

import pytest
import torch

from robust_train import AccuracyMap, Placement, study
from robust_train.recipe.building import build
from robust_train.recipe.checking import check
from robust_train.recipe.names import CHECKPOINT
from robust_train.transforms import Transform
from tests.toy_networks import linear


def images(count=3, channels=2, height=8, width=8):
    return torch.rand(count, channels, height, width, dtype=torch.float64)


def pose(*parameters):
    return torch.tensor([parameters], dtype=torch.float64)


def blocks(x):
    """Means of 2 by 2 pixels."""
    return torch.nn.functional.avg_pool2d(x, 2)


@pytest.mark.parametrize("background", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_the_identity_changes_nothing(background, dtype, tolerance):
    for x in (images(), images(height=5, width=2), images(width=1)):
        same = Placement(background=background)(x.to(dtype), Placement().neutral(x))
        torch.testing.assert_close(same, x.to(dtype), rtol=0, atol=tolerance)


@pytest.mark.parametrize("background", [0.0, 0.7])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (1, 0), (-1, 0.5), (0.5, -1), (1, 1)])
def test_half_of_the_size_is_the_means_of_blocks_at_a_whole_pixel(background, right, down):
    """The free room of 8 pixels is 2 on each side."""
    x = images(1)
    expected = torch.full_like(x, background)
    top, left = int(2 + 2 * down), int(2 + 2 * right)
    expected[:, :, top : top + 4, left : left + 4] = blocks(x)
    found = Placement(background=background)(x, pose(0.5, right, down))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_beyond_the_edge_the_canvas_is_empty():
    x = images(1)
    far = Placement(background=0.2)(x, pose(0.5, 3.0, 0.0))  # 6 pixels to the right: all left the canvas
    torch.testing.assert_close(far, torch.full_like(x, 0.2))
    part = Placement()(x, pose(0.5, 2.0, 0.0))
    torch.testing.assert_close(part[..., 2:6, 6:], blocks(x)[..., :2], rtol=0, atol=1e-12)


def test_a_canvas_need_not_be_square():
    x = images(1, height=4, width=8)
    found = Placement()(x, pose(0.5, 1.0, 1.0))
    torch.testing.assert_close(found[..., 2:, 4:], blocks(x), rtol=0, atol=1e-12)
    assert found[..., :2, :].abs().max() < 1e-12


def test_twice_as_large_the_edges_meet_at_a_place_of_one_too():
    """The last pixel but one of the canvas is read a quarter of a pixel from the last of the image."""
    x, weights = images(1), torch.tensor([0.25, 0.75], dtype=torch.float64)
    found = Placement()(x, pose(2.0, 1.0, 1.0))
    torch.testing.assert_close(found[..., 6, 6], x[..., 6:, 6:] @ weights @ weights)


def test_each_image_has_its_own_parameter():
    x, poses = images(), torch.cat([pose(0.5, 1, 0), pose(1, 0.5, 0.5), pose(0.7, -0.2, 0.9)])
    alone = [Placement()(x[k : k + 1], poses[k : k + 1]) for k in range(3)]
    torch.testing.assert_close(Placement()(x, poses), torch.cat(alone))


def test_gradients_of_image_and_parameter_are_those_of_differences():
    x, p = images(1, 1, 5, 4).requires_grad_(), pose(0.71, 0.13, -0.27).requires_grad_()
    assert torch.autograd.gradcheck(Placement(background=0.4), (x, p), atol=1e-4)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_what_has_no_size_leaves_the_canvas_empty(scale):
    assert not Placement()(images(), pose(scale, 0.3, 0).repeat(3, 1)).any()


def test_a_map_over_size_and_place_is_the_accuracy_there():
    """A network that looks at the left half for light sees the image where it was laid."""
    network = linear((1, 8, 8), 2, torch.float32)
    network[-1].weight.data = torch.zeros(2, 8, 8)
    network[-1].weight.data[0, :, :4] = 1
    network[-1].weight.data = network[-1].weight.data.flatten(1)
    network[-1].bias.data = torch.tensor([0.0, 6.0])
    asked = AccuracyMap(transform=Placement(), rows=[0.5, 1.0], columns=[-1.0, 0.0, 1.0])
    (grid,) = study(network, [(torch.ones(1, 8, 8), 0)] * 4, {"map": asked}, progress=False)["map"].figures
    assert [[cell.value for cell in row] for row in grid.values] == [[1, 1, 0], [1, 1, 1]]
    assert (grid.row_label, grid.column_label) == ("scale", "right in shares of the free room")


def test_a_recipe_names_it():
    node = {"class_path": "Placement", "init_args": {"background": 0.5}}
    assert build(check(node, Transform, "transform", CHECKPOINT), CHECKPOINT) == Placement(background=0.5)
