"""The table of corruptions against networks of which the answer is known."""

import pytest
import torch

from robust_train import CorruptionTable, study
from robust_train.transforms.corruptions import KINDS
from tests.toy_networks import Constant, linear


def threshold(at):
    """Class 0 where the mean of the 16 pixels is below ``at``."""
    network = linear((1, 4, 4), 2, torch.float32)
    network[-1].weight.data = torch.tensor([[0.0] * 16, [1 / 16] * 16])
    network[-1].bias.data = torch.tensor([at, 0.0])
    return network


def grey(*levels):
    return [(torch.full((1, 4, 4), level), 0) for level in levels]


def ask(network, data, block=128, **fields):
    return study(network, data, {"table": CorruptionTable(**fields)}, block=block, progress=False)["table"]


def test_a_network_that_does_not_look_is_never_wrong():
    found = ask(Constant([1.0, 0.0]), grey(0.2, 0.4, 0.6))
    (grid,) = found.figures
    assert grid.rows == list(KINDS)
    assert grid.columns == ["1", "2", "3", "4", "5"]
    assert {cell.value for row in grid.values for cell in row} == {1.0}
    assert grid.values[0][0].n == 3
    assert found.settings == {"clean accuracy": 1.0, "mean accuracy": 1.0, "samples": 3}


def test_frost_at_level_one_only_adds_light():
    """Ice reflects between 0.05 and 0.9 of what it is given, of which level one adds a fifth."""
    found = ask(threshold(0.6), grey(0.1, 0.3, 0.595), kinds=("frost",), severities=(0, 1))
    assert [cell.value for cell in found.figures[0].values[0]] == [1.0, pytest.approx(2 / 3)]
    assert found.settings["mean accuracy"] == pytest.approx(5 / 6)
    assert found.summary == (
        "Accuracy is 100.0% on clean images and 83.3% on average over 1 corruptions at severities 0, 1; "
        "it is lowest under frost, 83.3%."
    )


def test_any_block_gives_the_same():
    torch.manual_seed(0)
    data = [(torch.rand(1, 4, 4), k % 2) for k in range(12)]
    one, other = (ask(threshold(0.5), data, block, severities=(0.5, 3)) for block in (5, 64))
    assert one == other


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kinds": ("rain",)}, "Corruption: kind must be one of gaussian_noise, shot_noise"),
        ({"kinds": ()}, "give a kind at least"),
        ({"severities": (1, 6)}, "severities from 0 to 5"),
    ],
)
def test_what_has_no_meaning_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        CorruptionTable(**fields)
