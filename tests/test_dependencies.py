"""What is imported is declared, and does not come by the grace of another package."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import robust_train

PACKAGE = Path(robust_train.__file__).parent


def imported():
    """The packages that any module imports, anywhere in it."""
    nodes = [node for file in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"robust_train"}


def test_every_package_that_is_imported_is_a_dependency():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[<>=]", line)[0].lower() for line in project["dependencies"]}
    homes = packages_distributions()
    missing = {name for name in imported() if not {home.lower() for home in homes[name]} & declared}
    assert not missing
    assert {"torch", "yaml", "PIL"} <= imported()
