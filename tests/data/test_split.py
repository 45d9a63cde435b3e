import pytest
import torch

from robust_train.data.split import stratified_split

LABELS = torch.randint(0, 7, (500,), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("count", [0, 1, 7, 50, 123, 500])
def test_every_sample_is_on_one_side(count):
    rest, held = stratified_split(LABELS, count, seed=0)
    assert len(held) == count
    assert torch.equal(torch.cat([rest, held]).sort().values, torch.arange(500))
    assert torch.equal(held, held.sort().values)
    assert torch.equal(rest, rest.sort().values)


@pytest.mark.parametrize("count", [7, 50, 123])
def test_each_class_gives_its_share_to_within_one(count):
    held = stratified_split(LABELS, count, seed=0)[1]
    share = LABELS.bincount(minlength=7) * count / len(LABELS)
    assert (LABELS[held].bincount(minlength=7) - share).abs().max() < 1


def test_the_seed_alone_decides():
    first = stratified_split(LABELS, 50, seed=3)[1]
    torch.manual_seed(99)
    assert torch.equal(first, stratified_split(LABELS, 50, seed=3)[1])
    assert not torch.equal(first, stratified_split(LABELS, 50, seed=4)[1])


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    stratified_split(LABELS, 50, seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_all_samples_are_equally_likely():
    held = [stratified_split(torch.tensor([0, 0, 0, 0, 1, 1]), 3, seed)[1] for seed in range(2000)]
    share = torch.cat(held).bincount() / 2000
    assert (share - 0.5).abs().max() < 0.05
