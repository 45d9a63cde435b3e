"""Data that cannot be asked for sample by sample: the loop's own batches are judged."""

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

from robust_train import Robustness, evaluate


class Stream(IterableDataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __iter__(self):
        return (self.dataset[i] for i in range(len(self.dataset)))


class ForeignLoader:
    """A loader of another make: it promises nothing but batches."""

    def __init__(self, dataset, size):
        self.batches = list(DataLoader(dataset, batch_size=size))

    def __iter__(self):
        return iter(self.batches)

    def __len__(self):
        return len(self.batches)


def loaders(dataset):
    whole = DataLoader(list(DataLoader(dataset, batch_size=4)), batch_size=None)
    return [DataLoader(Stream(dataset), batch_size=4), ForeignLoader(dataset, 4), whole]


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("limit", [None, 6])
def test_batches_of_a_stream_are_judged(make_project, make_trainer, dataset, pgd, kind, limit):
    robustness, module = Robustness(pgd, limit=limit), make_project()
    trainer = make_trainer([robustness])
    trainer.test(module, loaders(dataset)[kind])
    first = torch.utils.data.Subset(dataset, range(limit or 21))
    expected = evaluate(module, first, pgd, block=4, progress=False)
    assert robustness.results.clean_accuracy == expected.clean_accuracy
    assert robustness.results.regimes["pgd"].metrics == expected.regimes["pgd"].metrics
    assert torch.equal(robustness.results.examples, expected.examples)
    assert "cannot be told from samples" in robustness.results.settings["subset"]
    assert "robust/pgd/robust_accuracy" in trainer.callback_metrics


@pytest.mark.parametrize("kind", [0, 1])
def test_a_stream_is_measured_in_each_loop_of_a_fit_and_at_its_end(
    make_project, make_trainer, dataset, loader, pgd, kind
):
    robustness = Robustness(pgd, on=["validate", "fit"])
    trainer = make_trainer([robustness])
    trainer.fit(make_project(), loader, loaders(dataset)[kind])
    assert robustness.results.clean_accuracy.n == 21
    assert robustness.results.warnings == ()


def test_what_an_interrupted_loop_saw_is_forgotten(make_project, make_trainer, dataset, pgd):
    robustness, module = Robustness(pgd), make_project()
    stream = DataLoader(Stream(dataset), batch_size=4)
    step, module.test_step = module.test_step, lambda batch, batch_idx: 1 / (3 - batch_idx)
    with pytest.raises(ZeroDivisionError):
        make_trainer([robustness]).test(module, stream)
    module.test_step = step
    make_trainer([robustness]).test(module, stream)
    assert robustness.results.clean_accuracy.n == 21


def test_each_of_several_streams_is_judged_by_itself(make_project, make_trainer, dataset, loader, pgd):
    parts = [torch.utils.data.Subset(dataset, part) for part in (range(14), range(14, 21))]
    streams, module = [DataLoader(Stream(part), batch_size=4) for part in parts], make_project()
    robustness = Robustness(pgd)
    trainer = make_trainer([robustness])
    trainer.test(module, [streams[0], loader, streams[1]])
    assert robustness.results.clean_accuracy.n == 7
    for place, judged in ((0, parts[0]), (1, dataset), (2, parts[1])):
        expected = evaluate(module, judged, pgd, block=4, progress=False).clean_accuracy.value
        found = trainer.callback_metrics[f"robust/clean/accuracy/dataloader_idx_{place}"]
        assert float(found) == pytest.approx(expected)


def test_half_precision_pushes_no_pixel_out_of_the_box(make_project, make_trainer, dataset, pgd):
    images = torch.cat([dataset.tensors[0], torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)])
    normalised = [((image - 0.45) / 0.22, 0) for image in images]
    robustness = Robustness(pgd, mean=[0.45], std=[0.22])
    stream = DataLoader(Stream(normalised), batch_size=4)
    make_trainer([robustness], precision="bf16-true").test(make_project(), stream)
    assert robustness.results.clean_accuracy.n == 23
    assert not [told for told in robustness.results.warnings if "Inputs lie" in told]
