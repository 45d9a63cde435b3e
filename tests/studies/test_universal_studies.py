"""Universal vectors of a binary linear network are its weights, up to their sign."""

import pytest
import torch

from robust_train import (
    Universal,
    UniversalDiversity,
    UniversalGradient,
    UniversalRate,
    UniversalSingular,
    study,
)
from robust_train.norms import norm
from robust_train.recipe.building import build
from robust_train.recipe.checking import check
from robust_train.recipe.names import STUDY
from robust_train.studies import Study
from robust_train.studies.shared_vectors import Parted
from tests.toy_networks import curved, linear

SHAPE = (1, 6, 6)
LEARNERS = [
    UniversalGradient(norm="l2", eps=20.0, images=100),
    Universal(norm="l2", eps=20.0, images=100, delta=0.5),
    UniversalSingular(norm="l2", eps=20.0, images=100, draws=0),
]
learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda p: type(p).__name__)


def data(count=300, seed=0):
    draws = torch.randn(count, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return [(x, 0) for x in draws]


def binary():
    """No bias: both classes are as large."""
    network = linear(SHAPE, 2)
    network[-1].bias.data.zero_()
    return network


def asked(network, study_of, images=None, **options):
    return study(network, images or data(), {"asked": study_of}, progress=False, **options)["asked"]


@learner
def test_vectors_of_a_binary_linear_network_are_one_up_to_the_sign(learner):
    _, cosines = asked(binary(), UniversalDiversity(perturbation=learner, shuffles=4)).figures
    for j, row in enumerate(cosines.values):
        for k, cell in enumerate(row):
            assert abs(cell.value) == pytest.approx(1, abs=1e-6)
            assert cell.value > 0 or j != k
    assert not cosines.shares


@learner
def test_the_rate_is_the_share_of_the_side_that_is_pushed_over(learner):
    """A vector of any length moves all images to one side: at most the other side is fooled."""
    network, images = binary(), data()
    (rates, _) = asked(network, UniversalDiversity(perturbation=learner, shuffles=3), images).figures
    judged = Parted.of([(torch.arange(300), torch.stack([x for x, _ in images]), None)], 100, seed=0).judged
    share = network(judged).argmax(1).double().mean().item()
    for cell in rates.values[0]:
        assert min(abs(cell.value - share), abs(cell.value - (1 - share))) < 1e-9
        assert cell.n == 200
        assert cell.low < cell.value < cell.high


@pytest.mark.parametrize("p", ["linf", "l2", "l1"])
def test_a_random_vector_of_equal_norm_fools_far_fewer(p):
    eps = {"linf": 0.35, "l2": 2.5, "l1": 15.0}[p]
    # Odd numbers: of as many images of both classes the slopes cancel.
    asked_for = UniversalRate(
        perturbation=UniversalGradient(norm=p, eps=eps), sizes=[99, 11, 31]
    )  # odd: no draw
    finding = asked(binary(), asked_for)
    (curves,) = finding.figures
    learnt, random = curves.series["UniversalGradient"], curves.series["random, of equal norm"]
    assert [x for x, _ in learnt] == [x for x, _ in random] == [11, 31, 99]
    assert all(estimate.n == 201 for _, estimate in (*learnt, *random))
    assert all(found.low > baseline.high for (_, found), (_, baseline) in zip(learnt, random, strict=True))
    assert finding.summary.startswith("Learnt from 99 images, one vector fools ")


@pytest.mark.parametrize("p", ["linf", "l2", "l1"])
def test_the_baseline_has_the_norm_of_the_vector_and_is_drawn_anew(p):
    study_of = UniversalRate(perturbation=UniversalGradient(norm=p), sizes=[1])
    parted = Parted.of([(None, torch.rand(4, *SHAPE, dtype=torch.float64), None)], 2, seed=0)
    v = torch.randn(SHAPE, dtype=torch.float64)
    one, other = (study_of._random(v, parted, size) for size in (10, 20))
    torch.testing.assert_close(norm(one[None], p), norm(v[None], p), rtol=1e-6, atol=0)
    assert not torch.equal(one, other)


def test_what_is_judged_is_not_learnt_from_and_the_draw_does_not_see_blocks():
    x = torch.arange(30.0).view(30, 1, 1, 1)
    parted = Parted.of([(None, part, None) for part in x.split(7)], 10, seed=3)
    whole = Parted.of([(None, x, None)], 10, seed=3)
    assert torch.equal(parted.lessons, whole.lessons)
    assert sorted([*parted.lessons.flatten().tolist(), *parted.judged.flatten().tolist()]) == list(range(30))
    assert len(parted.lessons) == 10
    assert parted.lessons.flatten().tolist() != sorted(parted.lessons.flatten().tolist())
    assert len(Parted.of([(None, x, None)], 1000, seed=3).lessons) == 15
    more = Parted.of([(None, x, None)], 15, seed=3)
    assert torch.equal(more.lessons[:10], parted.lessons)


def test_shuffles_differ_where_there_is_no_one_answer():
    """Of a network that is not linear, each order ends elsewhere."""
    perturbation = UniversalGradient(eps=0.1, steps=2, batch_size=5, images=100)
    network = curved(SHAPE, 6)
    _, cosines = asked(network, UniversalDiversity(perturbation=perturbation, shuffles=3)).figures
    assert all(-1 <= cosines.values[j][k].value < 0.999 for j, k in ((0, 1), (0, 2), (1, 2)))


def test_any_block_gives_the_same_and_another_seed_another():
    study_of = UniversalRate(perturbation=UniversalGradient(eps=0.1, steps=2), sizes=[5, 20])
    network = curved(SHAPE, 6)
    one, other, third = (
        asked(network, study_of, block=block, seed=seed) for block, seed in ((7, 0), (64, 0), (64, 1))
    )
    assert one == other != third


def test_few_images_are_shared_out_and_one_is_refused():
    study_of = UniversalRate(perturbation=UniversalGradient(), sizes=[2, 100])
    (curves,) = asked(binary(), study_of, data(6)).figures
    assert [x for x, _ in curves.series["UniversalGradient"]] == [2, 3]
    with pytest.raises(ValueError, match="there are 1: give two at least"):
        asked(binary(), study_of, data(1))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: UniversalDiversity(perturbation=UniversalGradient(), shuffles=1), "at least 2, not 1"),
        (lambda: UniversalRate(perturbation=UniversalGradient(), sizes=[]), "positive numbers of images"),
        (lambda: UniversalRate(perturbation=UniversalGradient(), sizes=[5, 0]), "positive numbers of images"),
    ],
)
def test_what_has_no_meaning_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_a_recipe_names_them():
    learner = {"class_path": "UniversalGradient", "init_args": {"eps": 0.1}}
    node = {"class_path": "UniversalRate", "init_args": {"perturbation": learner, "sizes": [1, 2]}}
    expected = UniversalRate(perturbation=UniversalGradient(eps=0.1), sizes=[1, 2])
    assert build(check(node, Study, "study", STUDY), STUDY) == expected
