"""What regimes learn from, and that none of it is judged."""

from dataclasses import dataclass, field, replace

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Subset, SubsetRandomSampler

from robust_train.evaluation import evaluate
from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.lessons import learners, share
from robust_train.perturbations import PGD, SharedVector, UniversalGradient


@dataclass(frozen=True, kw_only=True)
class Watching(SharedVector):
    """It learns nothing, and remembers what it was shown."""

    seen: list = field(default_factory=list, compare=False, repr=False)

    def learn(self, network, inputs, goal, rng):
        self.seen.extend(inputs)
        network(inputs)
        return torch.zeros_like(inputs[0])


def marked(count, mark=0.0):
    """Images that tell which they are."""
    return [(torch.full((1, 4, 4), mark + i / 1000), i % 3) for i in range(count)]


def marks(images):
    return sorted(round(1000 * float(image.amax())) for image in images)


def judge(network, data, watching, **settings):
    return evaluate(network, data, {"watching": watching, "pgd": PGD(steps=1)}, progress=False, **settings)


@pytest.mark.parametrize(("images", "held"), [(1000, 20), (7, 7)])
def test_a_share_of_the_samples_is_learnt_from_and_never_judged(network, images, held):
    watching = Watching(images=images)
    results = judge(network, marked(100), watching, block=8)
    learnt, judged = marks(watching.seen), results.regimes["pgd"].outcome.index.tolist()
    assert len(learnt) == held
    assert sorted(learnt + judged) == list(range(100))
    assert results.clean_accuracy.n == 100 - held
    assert results.settings["subset"] == f"{100 - held} of 100, drawn with seed 0"
    assert results.settings["learnt"] == {
        "watching": f"{held} of {held} samples that are not judged; {2 * held} forward and 0 backward passes"
    }


def test_a_limit_below_judges_the_same_samples_as_without_a_regime_that_learns(network):
    watching = Watching(images=30)
    one = judge(network, marked(100), watching, limit=50)
    other = judge(network, marked(100), replace(watching, vector=torch.zeros(1, 4, 4)), limit=50)
    judged = one.regimes["pgd"].outcome.index
    assert torch.equal(judged, other.regimes["pgd"].outcome.index)
    assert len(judged) == 50
    assert not set(marks(watching.seen)) & set(judged.tolist())


@pytest.mark.parametrize("holder", [list, DataLoader])
def test_training_images_leave_all_samples_to_be_judged(network, holder):
    watching = Watching(images=10)
    results = judge(network, marked(30), watching, training=holder(marked(40, 0.5)))
    assert results.clean_accuracy.n == 30
    assert len(watching.seen) == 10
    assert min(marks(watching.seen)) >= 500
    assert max(marks(watching.seen)) > 520  # drawn, not the first ones
    [learnt] = results.settings["learnt"].values()
    assert learnt.startswith("10 of 40 training images, drawn with seed 0; ")


def test_two_parts_of_one_data_set_are_learnt_from_and_judged_apart(network):
    watching, whole = Watching(), marked(30)
    training, judged = (DataLoader(whole, sampler=SubsetRandomSampler(r)) for r in (range(20), range(20, 30)))
    results = judge(network, judged, watching, training=training)
    assert marks(watching.seen) == list(range(20))
    assert results.clean_accuracy.n == 10


class Images(Dataset):
    """With a transform, as those of torchvision have it."""

    def __init__(self, mark, transform=lambda image: image):
        self.samples, self.transform = marked(20, mark), transform

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, row):
        image, label = self.samples[row]
        return self.transform(image), label


class Module(pl.LightningDataModule):
    def setup(self, stage):
        if stage == "fit":
            self.training = Subset(Images(0.5, transform=lambda image: 1 - image), range(20))
        else:
            self.test = Images(0.0)

    def test_dataloader(self):
        return DataLoader(self.test)


class Whole(Module):
    def train_dataloader(self):
        return DataLoader(self.training, batch_size=3, shuffle=True)


class NoFolder(Whole):
    def setup(self, stage):
        if stage == "fit":
            raise FileNotFoundError("There is no folder train")
        super().setup(stage)


def test_the_training_part_of_a_data_module_comes_without_augmentation(network):
    for data, settings in ((Whole(), {}), (Images(0.0), {"training": Whole()})):
        watching = Watching()
        results = judge(network, data, watching, **settings)
        assert marks(watching.seen) == list(range(500, 520))
        assert results.clean_accuracy.n == 20
        assert results.settings["learnt"]["watching"].startswith("20 of 20 training images; ")


class Sampled(Whole):
    def setup(self, stage):
        self.training = Images(0.5, transform=lambda image: 1 - image)
        self.test = Images(0.0)

    def train_dataloader(self):
        return DataLoader(self.training, sampler=SubsetRandomSampler([7, 2]))


def test_of_the_training_part_only_what_its_subset_sampler_draws_from_is_learnt(network):
    watching = Watching()
    judge(network, Sampled(), watching)
    assert marks(watching.seen) == [502, 507]


class Overlapping(Sampled):
    """The training part draws from the samples that are judged, too."""

    images = Images(0.0)

    def setup(self, stage):
        self.training = self.test = self.images

    def test_dataloader(self):
        return DataLoader(Subset(self.test, [4, 3, 2, 1, 0]))


def test_what_is_judged_is_not_learnt_from(network):
    watching = Watching()
    results = judge(network, Overlapping(), watching)
    assert marks(watching.seen) == [7]
    assert results.settings["learnt"]["watching"].startswith("1 of 1 training images; ")


class Same(Whole):
    images = Images(0.0)

    def setup(self, stage):
        self.training = self.test = self.images


def test_where_all_training_images_are_judged_a_share_is_held_out(network):
    watching = Watching()
    results = judge(network, Same(), watching)
    assert results.clean_accuracy.n == 16
    assert not set(marks(watching.seen)) & set(results.regimes["pgd"].outcome.index.tolist())


@pytest.mark.parametrize("module", [Module, NoFolder])
def test_a_data_module_without_a_training_part_gives_a_share(network, module):
    watching = Watching()
    assert judge(network, module(), watching).clean_accuracy.n == 16
    assert len(watching.seen) == 4


def test_passes_of_learning_are_part_of_the_cost_and_told_apart(network):
    regime = judge(network, marked(20), Watching(), training=marked(10)).regimes["watching"]
    assert (regime.learning.images, regime.learning.forwards, regime.learning.backwards) == (10, 20, 0)
    assert regime.forwards == 20 / 20  # the search itself needs none


def test_what_has_learnt_before_is_only_judged(network):
    watching = Watching(vector=torch.ones(1, 4, 4) / 100)
    results = judge(network, marked(20), watching)
    assert (watching.seen, results.clean_accuracy.n) == ([], 20)
    assert results.regimes["watching"].learning is None
    assert "learnt" not in results.settings
    assert "vector" not in results.regimes["watching"].settings
    assert learners([watching, PGD(), Watching(), lambda network, x, y: x]) == [Watching()]


def test_nothing_to_learn_from_is_refused_in_a_sentence(network):
    with pytest.raises(ValueError, match=r"^Watching has no images to learn from: give evaluate"):
        judge(network, marked(20), Watching(), training=[])


def test_one_sample_that_would_be_learnt_from_is_refused_in_a_sentence(network):
    with pytest.raises(ValueError, match=r"^The one sample of the data set cannot be learnt from and"):
        judge(network, marked(1), Watching())
    assert judge(network, marked(1), Watching(), training=marked(2)).clean_accuracy.n == 1


def test_the_bar_counts_a_regime_that_learns_as_one_block_more(network, capsys):
    evaluate(network, marked(20), {"watching": Watching()}, block=8)
    assert "/3 [" in capsys.readouterr().err  # 16 samples in two blocks


def test_it_learns_the_same_again_and_nothing_of_the_random_state(network):
    suite, before = {"universal": UniversalGradient(eps=0.3)}, torch.get_rng_state()
    one, other = (evaluate(network, marked(40), suite, progress=False) for _ in range(2))
    outcomes = [results.regimes["universal"].outcome.perturbed_logits for results in (one, other)]
    assert torch.equal(*outcomes)
    assert torch.equal(before, torch.get_rng_state())


def test_what_is_held_out_and_what_is_judged_never_meet():
    for held in (0, 1, 40, 100):
        blocks = Blocks(range(100), held=held)
        together = torch.cat([blocks.positions(), blocks.held_out()])
        assert sorted(together.tolist()) == list(range(100))
        assert len(blocks.held_out()) == held
    assert share(50_000, [Watching(), Watching(images=20)]) == 1000
