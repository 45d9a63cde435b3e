"""The names that a file may use: nothing else is ever looked up, let alone imported."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from inspect import isabstract, isclass
from typing import Any, Self

from robust_train.errors import UsageError, did_you_mean
from robust_train.recipe.exports import exports

_OURS = ("networks", "data", "defenses", "perturbations", "objectives", "transforms")


@dataclass(frozen=True)
class Names:
    """Classes and functions by name, out of a fixed list of packages.

    A name is short (``SmallCNN``) or full (``torchvision.models.resnet18``). What the packages do
    not export does not exist.

    Args:
        packages: Where to look, in this order.
        allowed: Packages of the user's own, whose every module may be imported.

    Example:
        >>> Names(("torch.optim",)).resolve("SGD").__name__
        'SGD'
        >>> Names(("torch.optim",)).resolve("os.system")
        Traceback (most recent call last):
        robust_train.errors.UsageError: os.system is not a name that recipes may use; if you trust ...
    """

    packages: tuple[str, ...]
    allowed: tuple[str, ...] = ()

    def allow(self, *packages: str) -> Self:
        """The same, and code of the user's own."""
        return replace(self, allowed=(*self.allowed, *packages))

    def resolve(self, name: str, base: type = object) -> Callable[..., Any]:
        """The class or function of this name.

        Args:
            name: Short or full.
            base: What it has to be; narrows the suggestions too.

        Raises:
            UserError: There is no such name, or it is not one of those that a file may use.
        """
        found = self._find(name)
        if found is None:
            raise UsageError(self._unknown(name, base))
        if not _makes(found, base):
            raise UsageError(f"{name} is no {base.__name__}.{self._suggest(name, base)}")
        return found

    def full(self, name: str, base: type = object) -> str:
        """The name with the package that exports it, as the command line spells classes."""
        found = self.resolve(name, base)
        homes = (p for p in self.packages if exports(p).get(found.__name__) is found)
        return f"{next(homes, found.__module__)}.{found.__name__}"

    def offers(self, base: type) -> bool:
        """Whether there is any class or function that makes a ``base``."""
        return any(_is_usable(found, base) for p in self.packages for found in exports(p).values())

    def means(self, name: str, other: str) -> bool:
        """Whether both are names of the same class or function."""
        found = self._find(name)
        return found is not None and found is self._find(other)

    def _find(self, name: str) -> Callable[..., Any] | None:
        # The root of this package exports what its parts do.
        module, _, attribute = name.removeprefix("robust_train." * (name.count(".") == 1)).rpartition(".")
        for package in self.packages:
            found = (
                exports(package).get(attribute) if f"{module or package}.".startswith(f"{package}.") else None
            )
            if found is not None and module in ("", package, found.__module__):
                return found
        if module.partition(".")[0] in self.allowed:
            found = getattr(_import(module), attribute, None)
            return found if callable(found) else None
        return None

    def _unknown(self, name: str, base: type) -> str:
        module = name.rpartition(".")[0]
        top = module.partition(".")[0]
        if not module or top in self.allowed or any(p.partition(".")[0] == top for p in self.packages):
            return f"There is no {_article(base)}{name}.{self._suggest(name, base)}"
        return f"{name} is not a name that recipes may use; if you trust its code, add --allow-code {top}."

    def _suggest(self, name: str, base: type) -> str:
        known = [n for p in self.packages for n, found in exports(p).items() if _is_usable(found, base)]
        short = name.rpartition(".")[2]
        return did_you_mean(short, known) or (f" There are {', '.join(known)}." if len(known) < 12 else "")


CHECKPOINT = Names((*(f"robust_train.{name}" for name in _OURS), "torchvision.models"))
"""What a file from outside may name."""

STUDY = Names((*CHECKPOINT.packages, "robust_train.studies"))
"""What a file of studies may name."""

RECIPE = Names(
    (
        *CHECKPOINT.packages,
        "robust_train.callbacks",
        "torch.optim",
        "torch.optim.lr_scheduler",
        *(f"pytorch_lightning.{name}" for name in ("callbacks", "loggers", "strategies", "profilers")),
    )
)
"""What a recipe for training may name: the same, and what only training needs."""


def _makes(found: Callable[..., Any], base: type) -> bool:
    """Whether it is, or as a function returns, a ``base``; functions that do not say are trusted."""
    made = found if isclass(found) else getattr(found, "__annotations__", {}).get("return", base)
    return not isclass(made) or issubclass(made, base)


def _is_usable(found: Callable[..., Any], base: type) -> bool:
    """Whether it makes a ``base`` for sure, and can be made."""
    sure = isclass(found) or "return" in found.__annotations__
    return sure and not isabstract(found) and _makes(found, base)


def _article(base: type) -> str:
    return "" if base is object else f"{base.__name__} "


def _import(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"{module} cannot be imported: {error}.") from None
