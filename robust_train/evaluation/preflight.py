"""What to know about a network and its data before any attack: a sentence each."""

from functools import partial

import torch
from torch import Tensor, nn

from robust_train.attacking.gradients import input_gradient
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.refusals import SAMPLES, check_block, out_of_inference_mode
from robust_train.networks.expectation import Expectation
from robust_train.networks.rejecting import rejects
from robust_train.objectives import CrossEntropy, Margin
from robust_train.types import Goal, Network


def preflight(network: Deployed, inputs: Tensor, labels: Tensor) -> list[str]:
    """Warnings about what would make figures meaningless, from the first few samples of a block.

    To be called in attack mode, except for ``training_modules``.

    Raises:
        ValueError: Nothing can be measured: the network refuses the inputs, returns no finite
            logits or those of one class alone, or a label is none of its classes.
    """
    if not len(inputs):
        return []
    x, y = inputs[:SAMPLES], labels[:SAMPLES]
    logits = check_block(network, inputs, labels)
    return [
        *_about_logits(logits),
        *_about_range(inputs),
        *_about_randomness(network, x, logits),
        *_about_gradients(network, x, y),
    ]


def training_modules(network: Network) -> list[str]:
    """A warning if any module is in training mode, to be asked before that is changed."""
    modules = network.named_modules() if isinstance(network, nn.Module) else ()
    names = [name or type(module).__name__ for name, module in modules if module.training]
    if not names:
        return []
    return [f"Modules in training mode: {len(names)}, such as {names[0]}; all are judged in eval mode."]


def refuse_equal(judges: Expectation, inputs: Tensor) -> None:
    """An average over draws that do not differ would only look like one."""
    with torch.no_grad():
        first, second = judges.each(inputs)[:2]
    if torch.equal(first, second):
        raise ValueError(
            "All draws of the network are the same, as its noise is averaged already or decoded by its mean: "
            "judge it with draws: 1."
        )


def refuse_shards(network: Deployed) -> None:
    """Each call of a sharded network waits for all processes, which do not call it equally often."""
    if any(
        type(p).__name__ in ("DTensor", "FlatParameter") or hasattr(p, "full_tensor")
        for p in network.parameters()
    ):
        raise ValueError(
            "The network's parameters are sharded over processes, which a search would hang on: gather them "
            "into one module (or train with ddp) and judge that."
        )


def _about_logits(logits: Tensor) -> list[str]:
    broken = int((~logits.isfinite().all(1)).sum())
    if broken:
        return [f"Logits are not finite for {broken} of {len(logits)} samples; these never count as correct."]
    if bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() < 1e-4).all()):
        return [
            "The network returns probabilities, whose gradients vanish: leave the softmax out, or return its "
            "logarithm."
        ]
    return []


def _about_range(inputs: Tensor) -> list[str]:
    low, high = (float(v) for v in inputs.aminmax())
    if low < 0 or high > 1:
        return [
            f"Inputs lie in [{low:.3g}, {high:.3g}], not in [0, 1]: tell mean and std if they are "
            "normalised, or no eps means what it says."
        ]
    return []


def _about_randomness(network: Deployed, x: Tensor, logits: Tensor) -> list[str]:
    with torch.no_grad():
        again = network(x)
    if bool(((again - logits).abs() > 1e-4 * logits.abs().amax().clamp_min(1e-6)).any()):
        return [
            "The network is random: one draw decides each sample, and repeats will differ; draw with Noise "
            "layers and set draws to judge the expectation."
        ]
    return []


def _about_gradients(network: Deployed, x: Tensor, y: Tensor) -> list[str]:
    goal, found = Goal(y, reject=rejects(network)), []
    for objective in (CrossEntropy(), Margin()):
        with out_of_inference_mode():
            gradient = input_gradient(network, x, partial(objective, goal=goal)).gradient
        dead = int((gradient.flatten(1) == 0).all(1).sum())
        if dead > 0.1 * len(x):
            name = type(objective).__name__
            found.append(
                f"The gradient of {name} is zero or not finite for {dead} of {len(x)} samples: attacks by "
                "gradient will overrate this network."
            )
    return found
