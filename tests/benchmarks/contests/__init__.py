"""All contests, a file for each algorithm or family."""

from . import deepfool, pgd

CONTESTS = [*pgd.CONTESTS, *deepfool.CONTESTS]
