import math
from copy import deepcopy
from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from torch.utils.data import DataLoader, TensorDataset

from robust_train import (
    NFGSM,
    PGD,
    AdversarialFineTuning,
    AdversarialTraining,
    AdversarialWeightPerturbation,
    Augmentation,
    Defense,
    RobustClassifier,
    SeveralNorms,
    Step,
)
from robust_train.randomness import Streams


@pytest.fixture
def loader():
    """24 images of which one corner decides the class: six batches."""
    images = torch.rand(24, 1, 4, 4)
    labels = (images[:, 0, 0, 0] > 0.5).long()
    images[:, 0, 0, :2] = labels[:, None].float()
    return DataLoader(TensorDataset(images, labels), batch_size=4)


@pytest.fixture
def fit(tmp_path, loader):
    def run(module, epochs=1, **settings):
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        quiet |= {"enable_model_summary": False, "log_every_n_steps": 1, "accelerator": "cpu"}
        trainer = pl.Trainer(max_epochs=epochs, default_root_dir=tmp_path, **quiet, **settings)
        trainer.fit(module, loader, loader)
        return trainer

    return run


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 2))


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.5)


def cycle(steps):
    return lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)


def test_a_schedule_in_steps_must_last_as_long_as_the_training(fit):
    def module(steps):
        return RobustClassifier(network(), optimizer=sgd, scheduler=cycle(steps), interval="step")

    assert fit(module(6), epochs=2, accumulate_grad_batches=2).global_step == 6
    with pytest.raises(ValueError, match=r"ends after 11 steps, the training after 12: .* total_steps=12\."):
        fit(module(11), epochs=2)


class Losses(pl.Callback):
    def __init__(self):
        self.values = []

    def on_train_epoch_end(self, trainer, module):
        self.values.append(trainer.callback_metrics["train/loss"].item())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(
    "defenses", [[], [Augmentation(padding=0, flip=False), AdversarialTraining(PGD(eps=0.1, steps=3))]]
)
def test_the_loss_falls(fit, defenses, precision):
    losses = Losses()
    module = RobustClassifier(network(), defenses, sgd)
    trainer = fit(module, epochs=10, precision=precision, callbacks=[losses])
    assert losses.values[-1] < 0.5 * losses.values[0]
    assert trainer.callback_metrics["train/accuracy"] > 0.9
    assert all(parameter.dtype == torch.float32 for parameter in module.parameters())


def test_losses_of_validation_and_test_are_logged(fit, loader):
    module = RobustClassifier(network(), optimizer=sgd)
    trainer = fit(module)
    images, labels = loader.dataset.tensors
    expected = cross_entropy(module(images), labels).item()
    assert trainer.callback_metrics["val/loss"].item() == pytest.approx(expected)
    [tested] = trainer.test(module, loader, verbose=False)
    assert tested == {"test/loss": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("defenses", "sentence"),
    [
        (AdversarialTraining(), r"^Defenses come in a list: give \[AdversarialTraining\(\.\.\.\)\]\.$"),
        ([AdversarialTraining], "the class AdversarialTraining: give an instance of it"),
        (["AdversarialTraining"], r"^Among the defenses is 'AdversarialTraining': give only defenses\.$"),
    ],
)
def test_what_is_no_list_of_defenses_is_refused_in_a_sentence(defenses, sentence):
    with pytest.raises(ValueError, match=sentence):
        RobustClassifier(network(), defenses)


@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        ({"image": torch.rand(2, 1, 4, 4), "label": torch.tensor([0, 1])}, "^A batch is dict, not two"),
        ((torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), ["a"]), r"is \(Tensor, Tensor, list\), not two"),
        ([torch.rand(2, 1, 4, 4), ["cat", "dog"]], r"^A batch is \(Tensor, list\), not two tensors"),
    ],
)
@pytest.mark.parametrize("loop", ["training", "validation", "test"])
def test_a_batch_of_anything_else_is_refused_in_a_sentence(batch, sentence, loop):
    with pytest.raises(ValueError, match=sentence):
        getattr(RobustClassifier(network()), f"{loop}_step")(batch, 0)


@pytest.mark.parametrize(("interval", "halvings"), [("epoch", 3), ("step", 18)])
def test_the_scheduler_steps_as_asked(fit, interval, halvings):
    def halve(optimizer):
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    trainer = fit(RobustClassifier(network(), None, sgd, halve, interval), epochs=3)
    assert isinstance(trainer.optimizers[0], torch.optim.SGD)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.5**halvings / 2)


class Recording(Defense):
    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def wrap(self, network):
        return nn.Sequential(network)

    def batch(self, network, step):
        self.calls.append((self.name, "batch"))
        self.step = step
        return step

    def loss(self, network, step, loss):
        assert loss.shape == (4,)
        assert torch.equal(step.logits, network(step.inputs))
        self.calls.append((self.name, "loss"))
        return loss

    def after_backward(self, network, step):
        assert step.labels is self.step.labels
        assert all(parameter.grad is not None for parameter in network.parameters())
        self.calls.append((self.name, "after_backward"))

    def after_step(self, network):
        self.calls.append((self.name, "after_step"))


@pytest.mark.parametrize(("accumulated", "steps"), [(1, 6), (3, 2), (4, 2)])
def test_defenses_act_in_order_and_as_often_as_they_should(fit, accumulated, steps):
    calls = []
    fit(
        RobustClassifier(network(), [Recording(n, calls) for n in "ab"], sgd),
        accumulate_grad_batches=accumulated,
    )
    hooks = ("batch", "loss", "after_backward", "after_step")
    order = [(name, hook) for hook in hooks for name in "ab"]
    assert calls[: len(order)] == (order if accumulated == 1 else order[:-2] + order[:2])
    counts = [calls.count(("a", hook)) for hook in hooks]
    assert counts == [6, 6, 6, steps] == [calls.count(("b", hook)) for hook in hooks]


class Watching(Defense):
    def __init__(self):
        self.progress, self.draws = [], []

    def batch(self, network, step):
        self.progress.append(step.progress)
        self.draws.extend(step.rng.uniform(()).tolist())
        return step


def test_progress_rises_from_nought_to_one(fit):
    watching = Watching()
    fit(RobustClassifier(network(), [watching], sgd), epochs=2)
    assert watching.progress == pytest.approx([i / 12 for i in range(12)])


def test_a_training_without_an_end_stays_at_its_start(fit):
    watching = Watching()
    fit(RobustClassifier(network(), [watching], sgd), epochs=-1, max_time={"seconds": 1})
    assert set(watching.progress) == {0.0}


@pytest.mark.parametrize(
    "accumulated",
    [1, 3],
)
def test_no_two_samples_of_a_training_share_their_draws(fit, accumulated):
    watching = Watching()
    module = RobustClassifier(network(), [watching], sgd)
    fit(module, epochs=2, accumulate_grad_batches=accumulated)
    assert len(set(watching.draws)) == 48


def test_what_wraps_the_network_is_in_the_state(loader):
    module = RobustClassifier(network(), [Recording("a", []), Recording("b", [])])
    assert "network.0.0.1.weight" in module.state_dict()
    images, _ = loader.dataset.tensors
    assert torch.equal(module(images), module.network(images))


class Soft(Defense):
    def batch(self, network, step):
        return replace(step, targets=0.5 * one_hot(step.labels, 2) + 0.25)


def test_targets_may_be_probabilities(fit):
    losses = Losses()
    fit(RobustClassifier(network(), [Soft()], sgd), epochs=20, callbacks=[losses])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert entropy < losses.values[-1] < entropy + 0.05


class Constant(Defense):
    def loss(self, network, step, loss):
        return loss * torch.tensor([0.0, 0.0, 0.0, 4.0])


def test_the_loss_of_a_step_is_the_mean_over_its_samples():
    module = RobustClassifier(network(), [Constant()])
    module.log_dict = lambda figures, **settings: None
    module._step = lambda x, y, *place: Step(x, y, x, y, 0.0, Streams.of(0, range(4)))
    x, y = torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 0, 1])
    assert torch.equal(module.training_step((x, y), 0), cross_entropy(module(x)[3:], y[3:]))


def test_what_moves_weights_acts_last_and_is_told_what_to_put_back(fit):
    class Halved(Defense):
        moves_weights = True

        def batch(self, network, step):
            weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
            calls.append(("halved", "batch"))
            with torch.no_grad():
                for weight in network.parameters():
                    weight.mul_(0.5)
            return replace(step, weights=weights)

        def after_backward(self, network, step):
            with torch.no_grad():
                for name, weight in network.named_parameters():
                    assert not torch.equal(weight, step.weights[name])
                    weight.copy_(step.weights[name])

    calls = []
    module = RobustClassifier(
        network(), [Halved(), Recording("a", calls)], lambda p: torch.optim.SGD(p, lr=0.0)
    )
    before = deepcopy(module.state_dict())
    fit(module)
    assert calls[:2] == [("a", "batch"), ("halved", "batch")]
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())


def test_the_gradient_in_the_inputs_is_that_of_the_mean_loss(fit):
    class Reading(Defense):
        reads_input_gradient = True

        def after_backward(self, network, step):
            x = step.inputs.detach().requires_grad_()
            (g,) = torch.autograd.grad(cross_entropy(network(x), step.labels), x)
            torch.testing.assert_close(step.inputs.grad, g)
            seen.append(g)

    seen = []
    fit(RobustClassifier(network(), [Reading()], sgd))
    assert len(seen) == 6


def test_the_objective_of_a_step_is_the_loss_of_all_defenses(fit):
    class Asking(Defense):
        moves_weights = True

        def batch(self, network, step):
            expected = 3 * cross_entropy(network(step.inputs), step.targets, reduction="none")
            torch.testing.assert_close(step.objective(step), expected)
            asked.append(step)
            return step

    class Trebled(Defense):
        def loss(self, network, step, loss):
            return 3 * loss

    asked = []
    fit(RobustClassifier(network(), [Asking(), Trebled()], sgd))
    assert len(asked) == 6


def test_a_module_can_be_copied_after_its_training(fit):
    module = RobustClassifier(network(), [Watching()], sgd)
    fit(module)
    deepcopy(module)


def test_defenses_are_calibrated_on_both_parts_of_the_data(loader):
    class Counting(Defense):
        def calibrate(self, network, batches, held_out):
            assert not network.training
            assert not torch.is_grad_enabled()
            counts.append([sum(len(x) for x, _ in part) for part in (batches, batches, held_out)])

    counts = []
    module = RobustClassifier(network(), [Counting()]).train()
    module.calibrate(loader, [next(iter(loader))])
    assert counts == [[24, 24, 4]]
    assert module.network.training


@pytest.mark.parametrize(
    "defense",
    [
        NFGSM(eps=0.1, noise=0.0),
        AdversarialTraining(PGD(eps=0.1, steps=1, random_start=False)),
        AdversarialFineTuning(PGD(eps=0.1, steps=1, random_start=False)),
        SeveralNorms([PGD(eps=0.1, steps=1, random_start=False)]),
        AdversarialWeightPerturbation(0.1),
    ],
    ids=lambda defense: type(defense).__name__,
)
def test_what_is_searched_for_is_the_same_in_float16(defense):
    """The gradients of a network that is sure are too small for it."""
    module, x = RobustClassifier(network(), [defense]), torch.rand(16, 1, 4, 4)
    with torch.no_grad():
        module.network[-1].weight.mul_(40)
    y = module(x).argmax(1)
    results = []
    for half in (False, True):
        one = deepcopy(module)
        step = Step(x, y, x, y, 0.0, Streams.of(0, range(16)), objective=one._objective)
        with torch.autocast("cpu", torch.float16, enabled=half):
            results.append((one._perturbed(step).inputs, *one.parameters()))
    assert all(map(torch.equal, *results))
    assert not all(map(torch.equal, results[0], (x, *module.parameters())))
