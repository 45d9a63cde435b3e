from dataclasses import dataclass

import torch

from robust_train.evaluation import evaluate
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.evaluator import Evaluator
from robust_train.perturbations import PGD
from robust_train.perturbations.foreign import Foreign
from robust_train.types import Perturbed


def test_costs_are_exact(network, data):
    suite = {"full": PGD(eps=0.1, steps=5, drop=False), "dropping": PGD(eps=0.1, steps=5)}
    regimes = evaluate(network, data, suite, block=16, progress=False).regimes
    assert (regimes["full"].forwards, regimes["full"].backwards) == (5, 5)
    assert 1 < regimes["dropping"].backwards < 5
    assert regimes["full"].seconds > 0


def test_the_draws_of_a_sample_follow_its_index(network, data, suite):
    images, labels = torch.stack([x for x, _ in data]), torch.tensor([y for _, y in data])
    order = torch.randperm(65)
    plain, shuffled = (Evaluator(Deployed(network), suite) for _ in range(2))
    plain.add(torch.arange(65), images, labels)
    for block in order.split(7):
        shuffled.add(block, images[block], labels[block])
    for name in suite:
        one, other = (evaluator.results().regimes[name].outcome for evaluator in (plain, shuffled))
        assert torch.equal(one.perturbed_predictions, other.perturbed_predictions)
        torch.testing.assert_close(one.size, other.size, rtol=1e-3, atol=1e-6)


@dataclass(frozen=True, kw_only=True)
class Lying(Foreign):
    """It mirrors every pixel value and claims to have moved none."""

    def certify(self, network, inputs, goal, found):
        return Perturbed(1 - inputs, torch.zeros(len(inputs), dtype=torch.float64))


def test_sizes_are_measured_anew(network, data):
    suite = {"lying": Lying(attack=lambda network, x, y: x, norm="linf", eps=0.01)}
    regime = evaluate(network, data, suite, progress=False).regimes["lying"]
    assert regime.outcome.size.min() > 0.1
    assert regime.metrics["robust_accuracy"].value == 56 / 65  # beyond its eps, nothing counts as broken


def test_what_leaves_the_box_breaks_nothing(network, data):
    regimes = evaluate(network, data, {"far": lambda n, x, y: 3 * torch.ones_like(x)}, progress=False).regimes
    assert regimes["far"].outcome.size.isinf().all()  # outside of the box
    assert regimes["far"].metrics["robust_accuracy"].value == 56 / 65


def test_results_outlive_inference_mode(network, data, suite):
    with torch.inference_mode():
        results = evaluate(network, data, suite, progress=False)
    tensors = [results.examples, results.example_index]
    for regime in results.regimes.values():
        tensors += [regime.examples, regime.outcome.index, regime.outcome.size, regime.outcome.logits]
    assert not any(tensor.is_inference() for tensor in tensors)
