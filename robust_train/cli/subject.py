"""What is measured: a checkpoint of ours, or a network that is not."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from robust_train import checkpoint
from robust_train.cli.suites import OF_NETWORK, find_suite, read_suite
from robust_train.data.base import ImageData
from robust_train.errors import UsageError
from robust_train.networks.normalize import Normalize
from robust_train.networks.torchvision import normalisation
from robust_train.recipe.building import build
from robust_train.recipe.checking import check_fields, check_node
from robust_train.recipe.names import Names


@dataclass(frozen=True)
class Subject:
    """A network, the data that it is measured on, and the suite.

    Args:
        name: For the folder of the run.
        network: In evaluation mode.
        data: Its test part is measured.
        robustness: The ``robustness`` section, as plain values.
        recipe: What else defines the measurement, as plain values.
    """

    name: str
    network: nn.Module
    data: ImageData
    robustness: dict[str, Any]
    recipe: dict[str, Any]


def find_subject(options: Namespace, fields: dict[str, dict[str, Any]], names: Names) -> Subject:
    """What the options of ``evaluate`` name.

    Raises:
        UserError: They name nothing, too much, or something that is not there or does not fit.
    """
    if bool(options.checkpoint) == bool(options.network):
        raise UsageError("Name what to measure: a checkpoint folder, or --network with --weights and --data.")
    if options.checkpoint:
        return _checkpoint(options, fields, names)
    if not options.data:
        raise UsageError("Say what to measure on, such as --data ImageFolder --data.root DIR.")
    node = _data(options.data, fields["data"], names)
    network, recipe = _foreign_network(options, fields["network"], names)
    data = build(node, names)
    # Sizes that leave digits legible wipe photographs out.
    suite = read_suite(find_suite(options.suite or ("quick" if data.shape[0] == 1 else "natural")))
    name = options.network.rpartition(".")[2]
    return Subject(name, network.eval(), data, suite, {**recipe, "data": node})


def _checkpoint(options: Namespace, fields: dict[str, dict[str, Any]], names: Names) -> Subject:
    for option in ("weights", "mean", "std"):
        if getattr(options, option):
            raise UsageError(f"--{option} belongs to --network; a checkpoint folder has its own.")
    if fields["network"]:
        raise UsageError("The network of a checkpoint folder is what its recipe says: leave --network.* out.")
    recipe = checkpoint.read_recipe(options.checkpoint)
    suite = recipe.get("robustness", {})
    if options.suite:
        kept = {name: suite[name] for name in OF_NETWORK if name in suite}
        suite = kept | read_suite(find_suite(options.suite))
    node = _data(options.data or recipe.get("data"), fields["data"], names)
    network = checkpoint.load(options.checkpoint, names)
    return Subject(
        Path(options.checkpoint).resolve().name, network, build(node, names), suite, {"data": node}
    )


def checkpoint_data(folder: str, names: Names) -> ImageData:
    """The data set that the recipe of a checkpoint folder names.

    Raises:
        UserError: It names none, or one that is not there.
    """
    data: ImageData = build(_data(checkpoint.read_recipe(folder).get("data"), {}, names), names)
    data.prepare_data()
    return data


def _data(given: Any, fields: dict[str, Any], names: Names) -> dict[str, Any]:
    """The data set of a recipe or an option, with the fields that options change."""
    node: dict[str, Any] = check_node(given, ImageData, "data", names)
    changed = check_fields(fields, names.resolve(node["class_path"]), "data", names)
    return {**node, "init_args": {**node["init_args"], **changed}}


def _foreign_network(
    options: Namespace, fields: dict[str, Any], names: Names
) -> tuple[nn.Module, dict[str, Any]]:
    """What the options build, and the same as plain values."""
    if bool(options.weights) == options.random_weights:
        raise UsageError("Give --weights FILE; to measure random weights, say --random-weights instead.")
    node = check_node({"class_path": options.network, "init_args": fields}, nn.Module, "network", names)
    network: nn.Module = build(node, names)
    if options.weights:
        checkpoint.load_weights(network, options.weights)
    mean, std = _normalisation(options, network, node["class_path"])
    recipe = {"network": node, "weights": options.weights, "mean": [*mean] or None, "std": [*std] or None}
    if not mean:
        return network, recipe
    print(f"Pixels are normalised by mean {_words(mean)}, std {_words(std)}; --mean and --std name others.")
    return nn.Sequential(Normalize(mean, std), network), recipe


def _normalisation(
    options: Namespace, network: nn.Module, name: str
) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and standard deviation that the options give, or that torchvision's networks expect."""
    if bool(options.mean) != bool(options.std):
        raise UsageError("Normalisation needs both --mean and --std.")
    if options.mean:
        return _numbers("--mean", options.mean), _numbers("--std", options.std)
    package, _, name = name.rpartition(".")
    return normalisation(network, name) if package == "torchvision.models" else ((), ())


def _words(values: Sequence[float]) -> str:
    """As the options spell them."""
    return ",".join(f"{value:g}" for value in values)


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} must be numbers with commas between, not {text}.") from None
