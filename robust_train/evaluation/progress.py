"""A bar that tells how much of an evaluation is done, and how long the rest takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress(regimes: int, blocks: int, shown: bool, learners: int = 0) -> Iterator[Callable[[str], None]]:
    """A bar over all regimes of all blocks; to be called with the name of each that is done.

    Args:
        regimes: Number of regimes.
        blocks: Number of blocks.
        shown: Whether there is a bar.
        learners: Regimes that learn before; each counts as a block more.
    """
    total = regimes * blocks + learners
    with tqdm(total=total, desc="robustness", unit="block", leave=False, disable=not shown) as bar:

        def tick(name: str) -> None:
            bar.set_postfix_str(name, refresh=False)
            bar.update()

        yield tick
