"""The public names, found late: the import itself costs nothing."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import robust_train
from robust_train.version import version

STUB = Path(robust_train.__file__).with_suffix(".pyi")
HOMES = [node.module for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)]
NAMES = [(home, name) for home in HOMES for name in import_module(home).__all__]


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_the_import_loads_neither_torch_nor_lightning():
    heavy = {
        "torch",
        "pytorch_lightning",
        "lightning",
        "torchvision",
        "torchmetrics",
        "numpy",
        "sklearn",
        "wandb",
    }
    loaded = set(run("import sys, robust_train; print(*sys.modules)").split())
    assert not loaded & heavy
    assert len({name for name in loaded if name.startswith("robust_train")}) == 1


def test_a_light_name_does_not_load_lightning():
    loaded = set(run("import sys; from robust_train import PGD; print(*sys.modules)").split())
    assert not loaded & {"pytorch_lightning", "torchvision", "matplotlib", "sklearn"}


@pytest.mark.parametrize(("home", "name"), NAMES)
def test_every_name_is_that_of_its_home(home, name):
    assert getattr(robust_train, name) is getattr(import_module(home), name)


def test_what_the_stub_tells_a_type_checker_is_what_there_is():
    names = [name for _, name in NAMES]
    assert sorted(dir(robust_train)) == sorted(names)
    assert len(set(names)) == len(names), "two homes export the same name"


def test_a_star_import_gives_every_public_name():
    given = set(run("from robust_train import *; print(*dir())").split())
    assert given >= {name for _, name in NAMES}


def test_the_version_is_told_without_loading_anything_heavy():
    told = run("import sys, robust_train; print(robust_train.__version__, *sys.modules)").split()
    assert told[0] == version()
    assert not set(told) & {"torch", "numpy", "pytorch_lightning"}


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'robust_train' has no attribute 'PGDD'"):
        robust_train.PGDD  # noqa: B018
    with pytest.raises(ImportError, match="PGDD"):
        from robust_train import PGDD  # noqa: F401
