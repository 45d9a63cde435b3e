import os

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from robust_train import checkpoint
from robust_train.errors import UserError
from robust_train.networks import SmallCNN
from robust_train.recipe.names import CHECKPOINT
from robust_train.recipe.reading import dump, parse

NETWORK = {"class_path": "SmallCNN", "init_args": {"in_shape": [1, 8, 8], "width": 4, "batch_norm": True}}


@pytest.fixture
def network():
    network = SmallCNN((1, 8, 8), width=4, batch_norm=True)
    network(torch.rand(16, 1, 8, 8))  # moves the running statistics
    return network.eval()


@pytest.fixture
def folder(network, tmp_path):
    checkpoint.save(tmp_path, network, {"model": {"network": NETWORK, "defenses": None}})
    return tmp_path


def edit(folder, old, new):
    path = folder / "recipe.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_is_saved_is_loaded(network, folder):
    loaded = checkpoint.load(folder)
    assert not loaded.training
    x = torch.rand(5, 1, 8, 8)
    assert torch.equal(loaded(x), network(x))
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "recipe.yaml"}


WRAPPING = """
from torch import nn
from robust_train.defenses import Defense

class Wrapping(Defense):
    def wrap(self, network):
        return nn.Sequential(network, nn.Linear(10, 10))
"""


def test_defenses_wrap_the_network_again(network, tmp_path, monkeypatch):
    (tmp_path / "wrapping.py").write_text(WRAPPING)
    monkeypatch.syspath_prepend(tmp_path)
    wrapped = nn.Sequential(network, nn.Linear(10, 10)).eval()
    checkpoint.save(tmp_path, wrapped, {"model": {"network": NETWORK, "defenses": ["wrapping.Wrapping"]}})
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(checkpoint.load(tmp_path, CHECKPOINT.allow("wrapping"))(x), wrapped(x))
    with pytest.raises(UserError, match="--allow-code wrapping"):
        checkpoint.load(tmp_path)


def test_tied_and_strided_weights_are_saved(tmp_path):
    tied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    tied[1].weight = tied[0].weight
    tied[0].weight.data = torch.rand(3, 3).T
    checkpoint.save(tmp_path, tied, {})
    saved = load_file(tmp_path / "model.safetensors")
    assert torch.equal(saved["0.weight"], saved["1.weight"])


@pytest.mark.parametrize("cut", [0, 10, 1000, -1])
def test_a_truncated_file_is_told(folder, cut):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(UserError, match="its SHA-256 is not that of the recipe"):
        checkpoint.load(folder)
    edit(folder, "sha256:", "forgotten:")
    with pytest.raises(UserError, match="is damaged"):
        checkpoint.load(folder)


def test_a_flipped_bit_is_told(folder):
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match="SHA-256"):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("width: 4", "width: 5", r"features.0.weight is \(4, 1, 3, 3\), not \(5, 1, 3, 3\)"),
        ("batch_norm: true", "batch_norm: false", "it lacks features.0.bias and 5 more"),
        ("SmallCNN", "SmalCNN", "Did you mean SmallCNN?"),
        ("network:", "netwrok:", "names no model.network"),
        ("model:", "model: [", "recipe.yaml, line"),
    ],
)
def test_a_recipe_that_does_not_fit_is_told(folder, old, new, words):
    edit(folder, old, new)
    with pytest.raises(UserError, match=words):
        checkpoint.load(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "recipe.yaml"])
def test_a_missing_file_is_told(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"lacks {name}"):
        checkpoint.load(folder)


def test_a_missing_folder_is_told(folder):
    (folder / "digits-standard").mkdir()
    with pytest.raises(UserError, match=r"Did you mean digits-standard\?"):
        checkpoint.load(folder / "digits-standrad")


@pytest.mark.parametrize("place", ["network", "defenses"])
@pytest.mark.parametrize("name", ["os.system", "posix.system", "subprocess.getoutput", "builtins.exec"])
def test_a_malicious_recipe_runs_nothing(folder, tmp_path, place, name):
    canary = tmp_path / "canary"
    node = {"class_path": name, "init_args": {"command": f"touch {canary}", "cmd": f"touch {canary}"}}
    recipe = parse((folder / "recipe.yaml").read_text())
    recipe["model"][place] = node if place == "network" else [node]
    (folder / "recipe.yaml").write_text(dump(recipe))
    with pytest.raises(UserError, match="not a name that recipes may use"):
        checkpoint.load(folder)
    assert not canary.exists()


class Payload:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".safetensors"])
def test_a_pickle_runs_nothing(tmp_path, suffix):
    canary, file = tmp_path / "canary", tmp_path / f"weights{suffix}"
    torch.save({"state_dict": Payload(canary)}, file)
    with pytest.raises(UserError, match="is damaged"):
        checkpoint.read_weights(file)
    assert not canary.exists()
    with file.open("rb") as opened:
        torch.load(opened, weights_only=False)
    assert canary.exists()  # the payload is live


PREFIXES = ["", "module.", "model.module.", "_orig_mod.", "model._orig_mod.", "backbone.", "network.net."]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict", "model"])
def test_weights_of_others_are_found(network, tmp_path, prefix, key):
    weights = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    weights |= {"criterion.weight": torch.ones(10)} if key == "state_dict" else {}
    torch.save(weights if key is None else {key: weights, "epoch": 3}, tmp_path / "weights.pt")
    other = SmallCNN((1, 8, 8), width=4, batch_norm=True)
    checkpoint.load_weights(other, tmp_path / "weights.pt")
    assert all(
        torch.equal(a, b)
        for a, b in zip(other.state_dict().values(), network.state_dict().values(), strict=True)
    )


def test_batch_normalisation_without_counts_is_loaded_as_torch_loads_it(network, tmp_path):
    weights = {name: t for name, t in network.state_dict().items() if "num_batches" not in name}
    save_file(weights, tmp_path / "weights.safetensors")
    other = SmallCNN((1, 8, 8), width=4, batch_norm=True)
    checkpoint.load_weights(other, tmp_path / "weights.safetensors")
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize(
    ("prefix", "more", "words"),
    [
        ("student.", (), "it lacks features.0.weight and 25 more, and the network has no student.features.0"),
        ("model.", ("network.head.bias",), "it has head.bias twice, once as network.head.bias"),
        ("model.", ("mean",), "the network has no mean"),
    ],
)
def test_names_that_leave_a_doubt_are_told(network, tmp_path, prefix, more, words):
    weights = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save(weights | dict.fromkeys(more, torch.zeros(10)), tmp_path / "weights.pt")
    with pytest.raises(UserError, match=words):
        checkpoint.load_weights(network, tmp_path / "weights.pt")


def test_all_weights_are_loaded_or_none(network, tmp_path):
    weights = network.state_dict() | {"head.bias": torch.zeros(3)}
    save_file(weights, tmp_path / "weights.safetensors")
    other = SmallCNN((1, 8, 8), width=4, batch_norm=True)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(UserError, match=r"head.bias is \(3,\), not \(10,\)"):
        checkpoint.load_weights(other, tmp_path / "weights.safetensors")
    assert all(torch.equal(before[name], tensor) for name, tensor in other.state_dict().items())


@pytest.mark.parametrize(
    "content", [{}, {"model": "resnet18", "epoch": 3}, {1: torch.zeros(1)}, [torch.zeros(1)], torch.zeros(1)]
)
def test_a_file_without_weights_is_told(tmp_path, content):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(UserError, match="holds no state_dict"):
        checkpoint.read_weights(tmp_path / "weights.pt")


def test_a_failed_write_leaves_what_was_there(folder, network, monkeypatch):
    before = (folder / "model.safetensors").read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(folder, network, {})
    assert (folder / "model.safetensors").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "recipe.yaml"}
