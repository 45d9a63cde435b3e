"""Where a run starts from: new weights, a checkpoint folder, or the middle of another run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from torch import nn
from torch.utils.data import default_collate

from robust_train.attacking.modes import attack_mode
from robust_train.callbacks.robustness import Robustness
from robust_train.checkpoint import WEIGHTS, load_weights, read_recipe, read_weights
from robust_train.data.base import ImageData
from robust_train.data.labelled_images import LabelledImages
from robust_train.errors import UsageError, UserError
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.preflight import preflight
from robust_train.evaluation.refusals import check_labels
from robust_train.evaluation.rehearsal import rehearse
from robust_train.networks.rejecting import rejects

_SHOWN = 4
_LAST = ("results.json", "README.md")  # what a run writes at its end, and any other folder may hold
_KEYWORDS = ("best", "last", "hpc")  # which Lightning resolves inside the folder of the run


def check_start(config: Any, needed: bool) -> None:
    """Look at the weights that a command line names, before anything is built.

    Args:
        config: The parsed options.
        needed: There is nothing to measure without weights.

    Raises:
        UserError: They are missing or damaged.
    """
    path = config.ckpt_path
    if needed and not path and not config["from"]:
        raise UsageError("Random weights are not worth measuring: give --from=FOLDER or --ckpt_path=FILE.")
    if path and "://" in str(path):
        raise UsageError(f"{path} is not opened from the network: download it, and look at it, first.")
    if path in _KEYWORDS:
        raise UsageError(f"Every run has a folder of its own: name a file, such as runs/NAME/{path}.ckpt.")
    if path:
        read_weights(path)


def check_stages(config: Any) -> None:
    """Notice a suite that would leave out the test images, which the figures of a run are of.

    Raises:
        UserError: It would.
    """
    if "test" not in config.robustness.on:
        raise UsageError(
            f"robustness.on is {list(config.robustness.on)}, and figures of a run are of the test images: "
            "leave it out, and watch the training by a Robustness among trainer.callbacks."
        )


def check_schedule(config: Any) -> None:
    """Notice a schedule that ends before the training does.

    Raises:
        UserError: It would refuse to go on in the middle of the training.
    """
    scheduler, epochs = config.model.scheduler, config.trainer.max_epochs
    steps = scheduler.init_args.get("total_steps") if scheduler else None
    if config.model.interval == "epoch" and steps and epochs and steps < epochs:
        raise UsageError(
            f"The schedule ends after {steps} epochs, the training after {epochs}: set "
            f"--model.scheduler.total_steps={epochs}, too."
        )


def check_fit(network: nn.Module, data: ImageData, suites: Iterable[Robustness] = ()) -> None:
    """Show the network a few training images, look at all labels and begin every search of the suites.

    Raises:
        ValueError: They do not fit each other, or the network returns NaN.
        FileNotFoundError: The data set is missing.
    """
    data.prepare_data()
    data.setup("fit")
    images = cast(LabelledImages, data.train_set.dataset)
    inputs, labels = default_collate([images[row] for row in range(min(_SHOWN, len(images)))])
    with attack_mode(network):
        preflight(Deployed(network), inputs, labels)
        check_labels(images.labels, network(inputs).shape[1] - rejects(network))
    for suite in suites:
        judged = Deployed(network, mean=suite.mean, std=suite.std, logits=suite.logits)
        rehearse(judged, suite.regimes, judged.pixels(inputs[:1]), labels[:1], suite.draws)


def load_start(network: nn.Module, start: str | None) -> None:
    """Load the weights of a checkpoint folder or a weights file, if there is one to start from.

    They may be those of the network without what defenses put around it.

    Raises:
        UserError: They are missing, damaged or do not fit.
    """
    if not start:
        return None
    path, digest = Path(start), None
    if path.is_dir():
        path, digest = path / WEIGHTS, read_recipe(path).get("checkpoint", {}).get("sha256")
    failures: list[UserError] = []
    inner: nn.Module | None = network
    while isinstance(inner, nn.Module):
        try:
            return load_weights(inner, path, digest)
        except UserError as error:
            failures.append(error)
            inner = getattr(inner, "network", None)
    raise failures[0]


def unfinished(path: str | None, out: str | None = None) -> Path | None:
    """The folder of the run that a ``.ckpt`` file belongs to, if that run never came to its end.

    Args:
        path: The file.
        out: Where to write, if that is said: a run goes on in no other folder than its own.
    """
    folder = Path(path or "").parent
    elsewhere = out and Path(out).resolve() != folder.resolve()
    ended = any((folder / name).exists() for name in _LAST)
    logged = any(folder.glob("log*/metrics.csv"))
    return folder if path and logged and not ended and not elsewhere else None
