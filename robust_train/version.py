"""Which robust_train this is."""

from importlib import metadata


def version() -> str:
    """The version that is installed, or ``source`` where the package runs without being installed."""
    try:
        return metadata.version("robust_train")
    except metadata.PackageNotFoundError:
        return "source"
