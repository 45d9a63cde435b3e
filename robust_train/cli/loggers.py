"""Loggers: a CSV log always, W&B offline, and all of them inside the folder of the run."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger

from robust_train.errors import UserError

_HERE = "."  # what stands for the folder of the run until that is known


def complete_loggers(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe, with a place for the loggers that name none."""
    for node in _nodes(recipe):
        node["init_args"].setdefault("save_dir", _HERE)
    return recipe


def place_loggers(config: Any, folder: Path) -> None:
    """Put loggers of a parsed command line that name no place into the folder of the run."""
    for node in config if isinstance(config, list) else [config]:
        if hasattr(node, "init_args") and node.init_args.get("save_dir", "") in (None, _HERE):
            node.init_args.save_dir = str(folder)


def with_csv(given: Logger | Iterable[Logger] | bool | None, folder: Path) -> list[Logger] | bool:
    """The loggers of a recipe after a CSV log, which the training curves are drawn from."""
    if given is False:
        return False
    others = [] if given is None or given is True else [given] if isinstance(given, Logger) else given
    parts = len(list(folder.glob("log*")))  # a resumed run goes on in a new file
    return [CSVLogger(str(folder), name=f"log-{parts + 1}" if parts else "log", version=""), *others]


def keep_wandb_offline(recipes: list[dict[str, Any]], words: list[str]) -> None:
    """Weights & Biases sends nothing unless asked to, and never asks for an account.

    Raises:
        UserError: It is asked to, and there is no account.
    """
    asked = any(node["init_args"].get("offline") is False for recipe in recipes for node in _nodes(recipe))
    asked = asked or "--trainer.logger.offline=false" in words or os.environ.get("WANDB_MODE") == "online"
    if not asked:
        os.environ.setdefault("WANDB_MODE", "offline")
    elif any("WandbLogger" in str(text) for text in (recipes, words)) and not _wandb_account():
        raise UserError(
            "Weights & Biases knows no account: run `wandb login` before, or leave offline: true."
        )


def _wandb_account() -> bool:
    import wandb

    try:
        return bool(wandb.login(prompt=False))
    except TypeError:  # a wandb that does not know the argument
        return bool(wandb.api.api_key)


def _nodes(recipe: dict[str, Any]) -> list[dict[str, Any]]:
    loggers = recipe.get("trainer", {}).get("logger")
    loggers = loggers if isinstance(loggers, list) else [loggers]
    return [node for node in loggers if isinstance(node, dict) and "init_args" in node]
