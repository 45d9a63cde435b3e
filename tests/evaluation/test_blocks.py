import pytest
import torch
from torch.utils.data import IterableDataset, TensorDataset

from robust_train.evaluation.blocks import Blocks, has_positions


@pytest.mark.parametrize("world", [1, 2, 3, 8])
@pytest.mark.parametrize(("samples", "size"), [(21, 4), (3, 128), (9, 3), (0, 4)])
def test_every_position_is_in_one_block_of_one_process(samples, size, world):
    blocks = Blocks(list(range(samples)), size)
    found = [block for rank in range(world) for block in blocks.of_rank(rank, world)]
    assert len(found) == len(blocks)
    assert sorted(i for index, _ in found for i in index.tolist()) == list(range(samples))
    for index, batch in found:
        assert torch.equal(index, batch)
        assert index[0] % size == 0
        assert len(index) == min(size, samples - index[0])


def test_a_limit_keeps_the_order_and_the_seed_decides():
    drawn = [Blocks(range(100), limit=10, seed=seed).positions().tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] == sorted(set(drawn[0])) != drawn[2]
    assert len(drawn[0]) == 10
    assert Blocks(range(7), limit=10).positions().tolist() == list(range(7))


def test_seeds_count_modulo_as_those_of_streams_do():
    one, other = (Blocks(range(100), limit=10, seed=seed, held=5) for seed in (-1, 2**64 - 1))
    assert torch.equal(one.positions(), other.positions())
    assert torch.equal(one.held_out(), other.held_out())


def test_the_loader_s_own_collate_makes_the_batch():
    assert next(Blocks("abc", size=2, collate="".join).of_rank(0, 1))[1] == "ab"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"size": 0}, r"^block must be at least 1 sample, not 0\.$"),
        ({"limit": 0}, r"^limit must be at least 1 sample, not 0\.$"),
        ({"limit": -1}, r"^limit must be at least 1 sample, not -1\.$"),
    ],
)
def test_sizes_that_mean_nothing_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        Blocks([1, 2], **wrong)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(())

    def __len__(self):
        return 3


def test_a_stream_has_no_positions_even_if_it_has_a_length():
    assert has_positions([1])
    assert has_positions(TensorDataset(torch.zeros(1)))
    assert not has_positions(Stream())
    assert not has_positions(iter([1]))
