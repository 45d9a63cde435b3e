"""A network that flags inputs is told from others, and what it flags is no success."""

import pytest
import torch

from robust_train import (
    APGD,
    FMN,
    PGD,
    CarliniWagner,
    DeepFool,
    Smallest,
    Square,
    Stabilised,
    Static,
    evaluate,
)
from robust_train.attacking.gradients import Counted
from robust_train.attacking.modes import frozen
from robust_train.attacking.rejection import leaving, unflagged
from robust_train.classifier import RobustClassifier
from robust_train.evaluation.deployed import Deployed
from robust_train.networks.rejecting import rejects
from tests.toy_networks import Flagging, linear


@pytest.fixture
def pair():
    """Two classes by the sign of w.x + b with equal components of w: brighter is class 1, and flagged."""
    network = linear((1, 2, 2), 2)
    network[1].weight.data = torch.tensor([[-1.0] * 4, [1.0] * 4], dtype=torch.float64)
    network[1].bias.data = torch.tensor([2.0, -2.0], dtype=torch.float64)  # the boundary is a mean of 0.5
    return Flagging(network, level=0.6).eval()


def grey(*levels):
    return torch.tensor(levels, dtype=torch.float64)[:, None, None, None].expand(-1, 1, 2, 2).clone()


def test_wrappers_are_seen_through(pair):
    averaged = torch.optim.swa_utils.AveragedModel(pair)
    for wrapped in (pair, Deployed(pair), Counted(Deployed(pair)), RobustClassifier(pair), averaged):
        assert rejects(wrapped)
    assert not any(map(rejects, (pair.network, Deployed(pair.network), lambda x: x)))
    pair.rejects = False
    assert not rejects(Deployed(pair))


def test_the_view_without_the_flag_is_the_network_itself(pair):
    x = grey(0.3, 0.9)
    assert torch.equal(unflagged(Counted(pair))(x), pair.network(x))
    assert unflagged(pair.network) is pair.network


def test_the_view_is_a_network_whose_weights_can_be_frozen_and_doubled(pair):
    view = unflagged(Counted(pair))
    assert not rejects(view)
    assert set(view.parameters()) == set(pair.parameters())
    with frozen(view):
        assert not any(p.requires_grad for p in pair.parameters())
    # Logits whose softmax is flat in single precision.
    pair.network[1].weight.data *= 1e3
    pair.network[1].bias.data *= 1e3
    large, x, label = Flagging(pair.network.float(), level=2.0).eval(), grey(0.3).float(), torch.tensor([0])
    plain = PGD(eps=0.3, random_start=False, drop=False)
    assert torch.equal(Static(perturbation=plain)(large, x, label).inputs, x)
    found = Static(perturbation=Stabilised(attack=plain))(large, x, label)
    assert large(found.inputs).argmax(1) == 1


def test_a_detector_that_no_wrapper_answers_for_is_never_overlooked(pair):
    class Renamed(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

    for hidden in (torch.nn.Sequential(pair), Renamed(pair), Deployed(Renamed(pair))):
        with pytest.raises(ValueError, match=r"flags inputs, and the network does not say whether its own"):
            rejects(hidden)
    said = Renamed(pair)
    said.rejects = True
    assert rejects(Deployed(said))


def test_what_is_left_is_the_class_beneath_the_flag(pair):
    goal = leaving(pair, pair(grey(0.3, 0.9, float("nan"))))
    assert goal.reject
    assert goal.labels.tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    "search",
    [DeepFool(), DeepFool(norm="linf"), CarliniWagner(steps=50, binary_search_steps=6), FMN(norm="linf")],
)
def test_a_minimal_search_ends_between_the_boundary_and_the_flag(pair, search):
    found = search(pair, grey(0.4), torch.tensor([0]))
    assert found.size.isfinite().all()
    assert 0.5 < found.inputs.mean() < 0.6
    # From a flagged image, it is the class beneath that is left.
    found = search(pair, grey(0.7), torch.tensor([1]))
    assert found.inputs.mean() < 0.5


def test_no_search_finds_what_is_flagged():
    network = linear((1, 2, 2), 2)
    network[1].weight.data = torch.tensor([[-1.0] * 4, [1.0] * 4], dtype=torch.float64)
    network[1].bias.data = torch.tensor([2.0, -2.0], dtype=torch.float64)
    closed = Flagging(network, level=0.45).eval()  # all that class 1 holds is flagged
    x, y = grey(0.4), torch.tensor([0])
    for search in (DeepFool(), Smallest(budgeted=PGD(steps=5)), Static(perturbation=DeepFool())):
        found = search(closed, x, y)
        assert found.size.isposinf().all()
        assert torch.equal(found.inputs, x)


@pytest.mark.parametrize("attack", [PGD(eps=0.18), APGD(eps=0.18), Square(eps=0.18, queries=200)])
def test_the_adaptive_attack_passes_where_the_static_one_is_flagged(pair, attack):
    data = [(image, 0) for image in grey(0.44, 0.35, 0.2)]
    blind = Static(perturbation=PGD(eps=attack.eps, drop=False))
    results = evaluate(pair, data, {"adaptive": attack, "static": blind}, progress=False)
    adaptive, static = (results.regimes[name] for name in ("adaptive", "static"))
    # Within the budget the first two can cross; at full strength only the second lands before the flag.
    assert adaptive.outcome.deceived.tolist() == [True, True, False]
    assert adaptive.metrics["robust_accuracy"].value == pytest.approx(1 / 3)
    assert static.outcome.perturbed_flagged.tolist() == [True, False, False]
    assert static.metrics["robust_accuracy"].value == pytest.approx(2 / 3)
    assert static.metrics["fooling_rate"].value == pytest.approx(1 / 3)


def test_a_flag_far_in_front_is_climbed_down_from_in_single_precision(pair):
    steep = Flagging(pair.network.float(), level=0.6, slope=1000).eval()
    x, y = grey(0.65).float(), torch.tensor([0])
    assert leaving(steep, steep(x)).margin(steep(x)) > 40
    found = PGD(eps=0.1, random_start=False)(steep, x, y)
    assert steep(found.inputs).argmax(1) == 1


def test_a_clean_image_that_is_flagged_is_not_right(pair):
    data = [(image, 1) for image in grey(0.55, 0.9)]
    results = evaluate(pair, data, {"none": PGD(eps=0.0)}, progress=False)
    assert results.clean_accuracy.value == 0.5
    assert results.regimes["none"].metrics["robust_accuracy"].value == 0.5
    assert results.regimes["none"].metrics["fooling_rate"].value == 0.0
    assert results.regimes["none"].outcome.flagged.tolist() == [False, True]


def test_the_flag_is_no_label(pair):
    with pytest.raises(ValueError, match="Label 2 is none of the network's 2 classes"):
        evaluate(pair, [(grey(0.2)[0], 2)], {"pgd": PGD()}, progress=False)
