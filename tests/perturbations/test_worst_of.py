"""WorstOf against its members run alone."""

import pytest
import torch

from robust_train import FGSM, PGD, DeepFool, Foreign, Goal, RandomDirection, UniversalGradient, WorstOf
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.perturbations.examples import Darken
from tests.toy_networks import convolutional, linear

BUDGET = {"norm": "l2", "eps": 0.3}
suites = pytest.mark.parametrize(
    "members",
    [
        [FGSM(**BUDGET), PGD(**BUDGET, steps=5), DeepFool()],
        [RandomDirection(bounds=(0.0, 1.0)), DeepFool(refinements=0), FGSM(norm="l2", eps=0.2)],
    ],
    ids=["budgeted first", "minimal first"],
)


def samples(count=64):
    network, inputs = convolutional(dtype=torch.float64), torch.rand(count, 1, 8, 8, dtype=torch.float64)
    inputs = (4 * inputs - 1.5).clamp(0, 1)  # most pixels stand at the walls of the box
    labels = network(inputs).argmax(1)
    labels[::8] += 1  # some are wrong from the start
    return network, inputs, labels % 10


def broken(perturbation, network, inputs, labels, rng=None):
    found = perturbation(network, inputs, labels, goal=Goal(labels), rng=rng)
    return Goal(labels).reached(network(found.inputs)) & (found.size <= BUDGET["eps"])


@suites
def test_it_breaks_exactly_what_one_of_its_members_breaks(members):
    network, inputs, labels = samples()
    rng = Streams.of(0, range(64))
    together = broken(WorstOf(**BUDGET, members=members), network, inputs, labels, rng)
    alone = [broken(m, network, inputs, labels, rng.fold(number)) for number, m in enumerate(members)]
    wrong = Goal(labels).reached(network(inputs))
    assert torch.equal(together, torch.stack([*alone, wrong]).any(0))
    assert 0 < (together & ~wrong).sum() < (~wrong).sum()


def test_what_was_wrong_from_the_start_or_stands_to_the_end_keeps_its_input():
    network, inputs, labels = samples()
    suite = WorstOf(**BUDGET, members=[DeepFool()])
    found, reached = suite(network, inputs, labels), broken(suite, network, inputs, labels)
    untouched = Goal(labels).reached(network(inputs)) | ~reached
    assert torch.equal(found.inputs[untouched], inputs[untouched])
    assert torch.equal(found.size == 0, untouched)


def test_a_member_that_leaves_the_box_does_not_keep_the_others_from_their_turn():
    network, inputs, labels = samples()
    outside = PGD(**BUDGET, bounds=None)
    suite = WorstOf(**BUDGET, members=[outside, DeepFool()])
    alone = broken(DeepFool(), network, inputs, labels)
    assert (broken(outside, network, inputs, labels) & alone).any()
    assert (alone <= broken(suite, network, inputs, labels)).all()


def test_a_minimal_member_counts_only_within_the_budget():
    network, inputs, labels = samples()
    wrong = Goal(labels).reached(network(inputs))
    sizes = DeepFool()(network, inputs, labels, goal=Goal(labels)).size
    suite = WorstOf(**BUDGET, members=[DeepFool()])
    assert torch.equal(broken(suite, network, inputs, labels), (sizes <= 0.3) | wrong)


def test_a_member_sees_only_what_still_stands():
    network, inputs, labels = samples()
    counted = Counted(network)
    WorstOf(norm="l2", eps=50.0, members=[DeepFool(), PGD(**BUDGET, steps=100)])(counted, inputs, labels)
    assert counted.backwards < 64 * 100


def test_an_attack_of_another_library_may_be_a_member():
    network, inputs = linear((4,), 3), torch.rand(8, 4, dtype=torch.float64)
    suite = WorstOf(norm="l2", eps=0.5, members=[Foreign(attack=Darken(0.1))])
    assert (suite(network, inputs, network(inputs).argmax(1)).size <= 0.5).all()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([], "^WorstOf: members is empty: give at least one"),
        ([PGD(eps=0.1)], "^WorstOf: PGD searches linf 0.1 but the budget is l2 0.3: give every member"),
        ([PGD(norm="l2", eps=0.4)], "^WorstOf: PGD searches l2 0.4 but the budget is l2 0.3"),
        ([DeepFool(norm="linf")], "^WorstOf: DeepFool searches linf  ?but the budget is l2 0.3"),
    ],
)
def test_members_of_another_budget_are_refused(members, sentence):
    with pytest.raises(ValueError, match=sentence):
        WorstOf(**BUDGET, members=members)


def test_members_that_learn_are_taught():
    network, inputs = convolutional(), torch.rand(32, 1, 8, 8)
    labels = network(inputs).argmax(1)
    learner = UniversalGradient(eps=0.1, images=16, bounds=(0.0, 1.0))
    suite = WorstOf(eps=0.1, members=[learner, FGSM(eps=0.05)])
    assert (suite.fitted, suite.images) == (False, 16)
    with pytest.raises(ValueError, match="UniversalGradient"):
        suite(network, inputs, labels)
    taught = suite.fit(network, [(inputs, labels)], Streams.of(0, [0]))
    assert (taught.fitted, taught.images) == (True, 0)
    vector = taught.members[0].vector
    assert torch.equal(taught.fit(network, [(inputs, labels)], Streams.of(1, [0])).members[0].vector, vector)
    broken = Goal(labels).reached(network(taught(network, inputs, labels).inputs))
    alone = Goal(labels).reached(network(taught.members[0](network, inputs, labels).inputs))
    assert (alone <= broken).all()


@pytest.mark.parametrize("reach", [float("inf"), 2.0])
def test_what_is_wrong_from_the_start_is_tried_by_all_where_none_is_dropped(reach):
    """Margins of -1, 0 and 1, which the first member leaves as they are."""

    def network(x):
        return torch.cat([10 * x - 5, 0 * x], 1)

    inputs, tried = torch.tensor([[0.4], [0.5], [0.6]]), []

    def seen(network, inputs, labels):
        tried.extend(inputs.flatten().tolist())
        return inputs

    members = [Foreign(attack=Darken(0.0)), Foreign(attack=seen)]
    suite = WorstOf(norm="l2", eps=0.0, members=members, reach=[0.0, reach]).maximising()
    suite(network, inputs, torch.zeros(3, dtype=torch.int64))
    assert tried == inputs.flatten().tolist()
