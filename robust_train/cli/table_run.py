"""One run of ``table``: a recipe with one seed, trained and measured in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from shutil import rmtree
from typing import Any

from robust_train.cli.folder import run_name
from robust_train.cli.overrides import merge
from robust_train.errors import UsageError, UserError
from robust_train.recipe.reading import dump, read
from robust_train.report.atomic import write_text
from robust_train.report.tabulation import PUBLISHED

_REQUEST = "request.yaml"
_TAIL = 500  # characters of what a failed run printed


@dataclass(frozen=True)
class TableRun:
    """One recipe with one seed, in the folder ``<out>/<recipe>/<seed>``, which is there only if it is whole.

    Args:
        recipe: Of ``fit``.
        seed: Of the weights, the order of the data and the defenses' draws.
        out: The folder of the table.
        suite: What is measured, in place of the recipe's own regimes but for the published one.
    """

    recipe: Path
    seed: int
    out: Path
    suite: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Where it is, once it is done."""
        return self.out / self.recipe.stem / str(self.seed)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do.

        Raises:
            UserError: What is there was made of another recipe or suite.
        """
        if not (self.folder / "results.json").is_file():
            return False
        path = self.folder / _REQUEST
        if not path.is_file() or path.read_text(encoding="utf-8") != self._request():
            raise UsageError(
                f"{self.folder} is of another recipe or suite: give another --out, or remove it."
            )
        return True

    def fit(self, environment: dict[str, str]) -> str | None:
        """Do it; a sentence where that failed.

        Args:
            environment: Of the process.
        """
        try:
            failure = self._fit(environment)
        except (UserError, OSError) as error:
            failure = str(error)
        return f"{self.recipe} with seed {self.seed} failed: {failure}" if failure else None

    def _fit(self, environment: dict[str, str]) -> str:
        # The reports are named after the folder in which they are written.
        scratch = self.folder.with_name(f".{self.seed}")
        partial, settings = scratch / f"{run_name(self.recipe)}-{self.seed}", scratch.with_name("suite.yaml")
        rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        request = self._request()
        write_text(settings, dump({"robustness": self._measured()}))
        words = [f"--config={self.recipe}", f"--config={settings}", f"--out={partial}", *_quiet(self.seed)]
        command = [sys.executable, "-m", "robust_train", "fit", *words]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            return done.stderr.strip()[-_TAIL:] or f"it ended with status {done.returncode}."
        write_text(partial / _REQUEST, request)
        card = partial / "README.md"
        write_text(
            card, card.read_text(encoding="utf-8").replace(quote(str(partial)), quote(str(self.folder)))
        )
        partial.rename(self.folder)
        scratch.rmdir()
        return ""

    def _request(self) -> str:
        """The recipe that this comes down to: comments and regimes that are not measured are left out."""
        return dump(merge(read(self.recipe), {"robustness": self._measured()}))

    def _measured(self) -> dict[str, Any]:
        """The suite, and the regime that the recipe itself calls published, if any."""
        section = read(self.recipe).get("robustness")
        own = section.get("regimes") if isinstance(section, dict) else None
        published = {k: v for k, v in own.items() if k == PUBLISHED} if isinstance(own, dict) else {}
        return {**self.suite, "regimes": {**(self.suite.get("regimes") or {}), **published}}


def _quiet(seed: int) -> Iterator[str]:
    yield from (f"--seed_everything={seed}", f"--model.seed={seed}", "--robustness.bar=false")
    yield from (f"--trainer.enable_{part}=false" for part in ("progress_bar", "model_summary"))
