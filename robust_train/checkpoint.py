"""Checkpoints: weights that cannot run code, and the recipe that says what they belong to."""

import os
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from robust_train.defenses.base import Defense
from robust_train.errors import UsageError, UserError
from robust_train.recipe.building import build
from robust_train.recipe.checking import check_node
from robust_train.recipe.names import CHECKPOINT, Names
from robust_train.recipe.reading import absent, dump, read
from robust_train.version import version

WEIGHTS, RECIPE = "model.safetensors", "recipe.yaml"
_CONTAINERS = ("state_dict", "model_state_dict", "model", "network", "net")
_WRAPPERS = ("module.", "model.", "network.", "net.", "backbone.")
_COMPILED = "_orig_mod."
_BESIDE = ("criterion.", "loss.", "loss_fn.")  # what a module trains with, and no network runs through
_COUNT = "num_batches_tracked"  # of batch normalisation, which older files lack and no evaluation reads


def save(folder: str | Path, network: nn.Module, recipe: Mapping[str, Any]) -> None:
    """Write ``model.safetensors`` and ``recipe.yaml``, which records the hash of the weights.

    Args:
        folder: An existing folder.
        network: The trained network, with what the defenses of the recipe put around it.
        recipe: Plain values, with at least ``model: {network: ...}``.

    Raises:
        OSError: The folder cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    content = safetensors.save(
        {name: tensor.clone() for name, tensor in tensors.items()}
    )  # none may share memory
    made = {"robust_train": version(), "torch": str(torch.__version__), "sha256": _hash(content)}
    text = dump({**recipe, "checkpoint": made})
    _write(Path(folder, WEIGHTS), content)
    _write(Path(folder, RECIPE), text.encode())


def load(folder: str | Path, names: Names = CHECKPOINT) -> nn.Module:
    """The network of a checkpoint folder, in evaluation mode.

    The recipe is data: it names networks and defenses of this package and of torchvision, and
    nothing that it says is imported from elsewhere.

    Args:
        folder: What ``fit`` or ``save`` wrote.
        names: What its recipe may name.

    Raises:
        UserError: Something is missing, damaged, not allowed or does not fit.

    Example:
        >>> import tempfile
        >>> from robust_train.networks import LeNet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(folder, LeNet(), {"model": {"network": {"class_path": "LeNet"}}})
        ...     type(load(folder)).__name__
        'LeNet'
    """
    recipe = read_recipe(folder)
    network = build_network(recipe.get("model"), names)
    load_weights(network, Path(folder, WEIGHTS), recipe.get("checkpoint", {}).get("sha256"))
    return network.eval()


def read_recipe(folder: str | Path) -> dict[str, Any]:
    """The recipe of a checkpoint folder.

    Raises:
        UserError: There is no such folder, or it is not a checkpoint.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise absent(folder)
    for name in (RECIPE, WEIGHTS):
        if not (folder / name).is_file():
            raise UserError(f"{folder} is no checkpoint: it lacks {name}, which fit writes at its end.")
    return read(folder / RECIPE)


def build_network(model: Any, names: Names = CHECKPOINT) -> nn.Module:
    """The network of a recipe's ``model`` section, random weights, with its defenses around it."""
    if not isinstance(model, dict) or "network" not in model:
        raise UsageError("The recipe of the checkpoint names no model.network.")
    network: nn.Module = build(check_node(model["network"], nn.Module, "model.network", names), names)
    for defense in model.get("defenses") or []:
        network = build(check_node(defense, Defense, "model.defenses", names), names).wrap(network)
    return network


def load_weights(network: nn.Module, path: str | Path, digest: str | None = None) -> None:
    """Load weights into a network, all of them or none.

    Args:
        network: What they are for.
        path: A ``.safetensors`` file, or what ``torch.save`` wrote of tensors alone. Names may have
            the prefixes that wrappers give them, such as ``module.`` or ``model._orig_mod.``; weights of
            a loss are left out, and so may be the counts of batch normalisation.
        digest: SHA-256 that the file must have.

    Raises:
        UserError: The file is missing, damaged, holds more than tensors, or does not fit.
    """
    expected = network.state_dict()
    sentence = f"{path} does not fit the network {type(network).__name__}"
    tensors: dict[str, Tensor] = {}
    for name, tensor in read_weights(path, digest).items():
        bare = _bare(name, expected)
        if bare in tensors:
            raise UserError(f"{sentence}: it has {bare} twice, once as {name}; save the one that is meant.")
        if bare in expected or not bare.startswith(_BESIDE):
            tensors[bare] = tensor
    _check_fit(expected, tensors, sentence)
    network.load_state_dict(tensors)


def read_weights(path: str | Path, digest: str | None = None) -> dict[str, Tensor]:
    """The tensors of a weights file, on the CPU, by name.

    Raises:
        UserError: The file is missing, damaged, or holds more than tensors.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise absent(path) from None
    except OSError as error:
        raise UserError(f"The weights {path} cannot be read: {error.strerror}.") from None
    if digest is not None and digest != _hash(content):
        raise UserError(
            f"{path} is damaged: its SHA-256 is not that of the recipe; copy or download it again."
        )
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.load(content)
        found = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError):
        only = " or holds more than tensors, which is not opened" * (path.suffix != ".safetensors")
        raise UserError(f"{path} is damaged{only}: copy it again, or save the state_dict alone.") from None
    found = found if isinstance(found, dict) else {}
    found = next((found[key] for key in _CONTAINERS if isinstance(found.get(key), dict)), found)
    if not found or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in found.items()):
        raise UserError(f"{path} holds no state_dict: save network.state_dict() and nothing else.")
    return dict(found)


def _bare(name: str, expected: Mapping[str, Tensor]) -> str:
    """What the network calls a tensor; the name as it is where that is nothing of the network's."""
    bare = name if name in expected else name.replace(_COMPILED, "")
    while bare not in expected and bare.startswith(_WRAPPERS):
        bare = bare.partition(".")[2]
    return bare if bare in expected else name


def _check_fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], sentence: str) -> None:
    missing = {name for name in expected.keys() - found.keys() if not name.endswith(_COUNT)}
    surplus = found.keys() - expected.keys()
    parts = [f"it lacks {_some(missing)}"] if missing else []
    parts += [f"the network has no {_some(surplus)}"] if surplus else []
    if parts:
        raise UserError(f"{sentence}: {', and '.join(parts)}.")
    for name, tensor in expected.items():
        if name in found and tensor.shape != found[name].shape:
            raise UserError(f"{sentence}: {name} is {tuple(found[name].shape)}, not {tuple(tensor.shape)}.")


def _some(names: set[str]) -> str:
    return min(names) + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """In one step: whole or not at all."""
    partial = path.with_name(f".{path.name}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
