"""What Lightning tells every user on every run, and none needs to act upon."""

import logging
import os
import warnings

_KNOWN = (
    ".*does not have many workers.*",
    ".*log_every_n_steps.*",
    ".*exists and is not empty.*",
    ".*WeightAveraging callback, but loading a checkpoint outside.*",
    # Figures that count every sample once are gathered elsewhere, and rightly.
    ".*sync_dist=True.*",
    ".*Using `DistributedSampler`.*",
    ".*OneCycleLR. scheduler is using .interval.: .epoch.*",
    ".*The dirpath has changed.*",
    ".*isinstance.treespec, LeafSpec.*",
)


def quiet() -> None:
    """Leave progress bars, warnings and errors; keep silent on devices found and tips."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning calls jsonargparse by names that newer versions have others for.
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    for message in _KNOWN:
        warnings.filterwarnings("ignore", message)
