"""An import points down this list, and nobody inside the package imports its root."""

import ast
from pathlib import Path

import pytest

import robust_train

ROOT = Path(robust_train.__file__).parent
LAYERS = [
    {"__main__"},
    {"cli"},
    {"checkpoint"},
    {"callbacks"},
    {"report"},
    {"studies"},
    {"evaluation"},
    {"classifier"},
    {"recipe"},
    {"defenses"},
    {"metrics"},
    {"perturbations"},
    {"attacking"},
    {"transforms"},
    {"norms", "objectives", "lipschitz", "checks"},
    {"networks", "data"},
    {"types", "randomness", "errors", "version"},
]
DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}
# What the order alone does not say.
STRANGERS = {
    "evaluation": {"classifier"},
    "networks": set(DEPTH) - {"errors"},
    "data": set(DEPTH) - {"errors"},
}
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def imported(path):
    """Dotted names of the modules that a file imports, its functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            submodules = [name for name in names if exists(name)]
            yield from submodules if len(submodules) == len(names) else [node.module]


def exists(name):
    path = ROOT.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    layer = path.relative_to(ROOT).with_suffix("").parts[0]
    ours = [name for name in imported(path) if name.split(".")[0] == "robust_train"]
    assert "robust_train" not in ours, "import modules, never the package root"
    below = {name.split(".")[1] for name in ours} - {layer}
    assert all(DEPTH[name] > DEPTH[layer] for name in below)
    assert not below & STRANGERS.get(layer, set())


def test_a_report_reads_results_and_nothing_else_of_an_evaluation():
    names = {name for path in (ROOT / "report").rglob("*.py") for name in imported(path)}
    assert {name for name in names if name.startswith("robust_train.evaluation")} <= {
        "robust_train.evaluation.results"
    }


def test_every_module_has_its_layer():
    assert {path.relative_to(ROOT).with_suffix("").parts[0] for path in FILES} == set(DEPTH)
