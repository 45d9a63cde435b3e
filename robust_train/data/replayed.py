"""The same batch several times in a row."""

from collections.abc import Iterator

from torch.utils.data import BatchSampler, Sampler


class Replayed(BatchSampler):
    """Batches of what a sampler draws, each as often as asked before the next one comes.

    Lightning may put another sampler in, with one part of the data for each process.

    Args:
        sampler: Draws positions in the data set.
        batch_size: Positions in a batch.
        drop_last: Leave out a last batch that is smaller.
        replays: How often each batch comes.

    Example:
        >>> list(Replayed(range(3), batch_size=2, drop_last=False, replays=2))
        [[0, 1], [0, 1], [2], [2]]
    """

    def __init__(self, sampler: Sampler[int], batch_size: int, drop_last: bool, replays: int) -> None:
        super().__init__(sampler, batch_size, drop_last)
        self.replays = replays

    def __iter__(self) -> Iterator[list[int]]:
        for batch in super().__iter__():
            for _ in range(self.replays):
                yield list(batch)

    def __len__(self) -> int:
        return self.replays * super().__len__()
