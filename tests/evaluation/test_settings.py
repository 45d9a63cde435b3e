import pytest
import torch
from torch import nn

from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.settings import describe


@pytest.mark.parametrize(
    ("dtype", "autocast", "precision"),
    [
        (torch.float32, False, "float32 weights, no autocast, searched in float32"),
        (torch.float32, True, "float32 weights, autocast, searched in float32"),
        (torch.bfloat16, False, "bfloat16 weights, no autocast, searched in float32"),
    ],
)
def test_precision_is_named(dtype, autocast, precision):
    network = Deployed(nn.Linear(2, 2).to(dtype))
    assert describe(Blocks([1, 2]), network, autocast)["precision"] == precision


def test_what_decides_the_figures_is_named():
    settings = describe(Blocks(range(10), size=4, limit=3, seed=5), Deployed(nn.Identity()))
    assert settings["of"] == 10
    assert settings["subset"] == "3 of 10, drawn with seed 5"
    assert settings["block"] == 4
    assert settings["device"] == "cpu"
    assert settings["versions"]["torch"] == torch.__version__.split("+")[0]
    assert describe(Blocks([1]), Deployed(nn.Identity()))["subset"] == "all samples"
