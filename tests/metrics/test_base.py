"""What every metric over outcomes promises: each sample once, whoever saw it and when."""

import inspect
import pickle

import pytest
import torch
from torchmetrics import MetricCollection

from robust_train import Accuracy, FoolingRate, MedianSize, RelativeSize, RobustAccuracy, metrics
from robust_train.metrics.base import OutcomeMetric
from tests.metrics.outcomes import NONE, SIX

EXAMPLES = [Accuracy(), RobustAccuracy(eps=0.2), FoolingRate(), MedianSize(), RelativeSize()]
every = pytest.mark.parametrize("example", EXAMPLES, ids=lambda m: type(m).__name__)


def after(example, *outcomes):
    metric = pickle.loads(pickle.dumps(example))
    for outcome in outcomes:
        metric.update(outcome)
    return metric


def same(one, other):
    assert repr(one.estimate()) == repr(other.estimate())


def test_every_exported_metric_has_an_example():
    exported = {getattr(metrics, name) for name in metrics.__all__}
    kinds = {kind for kind in exported if inspect.isclass(kind) and issubclass(kind, OutcomeMetric)}
    assert kinds == {type(example) for example in EXAMPLES} == set(OutcomeMetric.__subclasses__())


@every
def test_any_batches_in_any_order_give_the_same(example):
    whole = after(example, SIX)
    rows = torch.tensor([5, 2, 0, 4, 1, 3])
    same(after(example, *(SIX.take(part) for part in rows.split(4))), whole)
    same(after(example, NONE, *(SIX.take(row[None]) for row in rows), NONE), whole)


@every
def test_a_sample_that_is_seen_twice_counts_once(example):
    padded = SIX.take(torch.tensor([0, 1, 2, 0, 3, 4, 5, 5, 5]))
    same(after(example, padded, SIX), after(example, SIX))
    assert after(example, padded).estimate().n == 6


@every
def test_two_processes_with_padding_merge_into_the_exact_figure(example):
    ranks = [after(example, SIX.take(torch.tensor(rows))) for rows in ([4, 0, 2], [1, 3, 5, 4])]
    merged = pickle.loads(pickle.dumps(ranks[0]))
    merged.merge_state(ranks[1])
    same(merged, after(example, SIX))


@every
def test_synchronised_states_are_read_and_restored(example):
    """As torchmetrics does between processes: each state is gathered into one tensor."""
    metric, others = (
        after(example, SIX.take(torch.tensor([0, 2, 4]))),
        after(example, SIX.take(torch.tensor([1, 3, 5]))),
    )

    def gather(state, group=None):
        mine = [torch.cat(metric.index), torch.cat(metric.values)]
        theirs = [torch.cat(others.index), torch.cat(others.values)]
        return [state, theirs[[s.dtype == state.dtype and torch.equal(s, state) for s in mine].index(True)]]

    with metric.sync_context(dist_sync_fn=gather, distributed_available=lambda: True):
        same(metric, after(example, SIX))
    assert metric.estimate().n == 3


@every
def test_reset_and_pickle(example):
    metric = after(example, SIX)
    same(pickle.loads(pickle.dumps(metric)), metric)
    metric.reset()
    assert metric.estimate().n == 0
    metric.update(SIX)
    same(metric, after(example, SIX))


def test_they_live_together_in_a_collection():
    together = MetricCollection({type(e).__name__: after(e) for e in EXAMPLES}, compute_groups=False)
    together.update(SIX)
    for example in EXAMPLES:
        same(together[type(example).__name__], after(example, SIX))
