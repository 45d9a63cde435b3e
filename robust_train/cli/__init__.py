"""The commands: how words become a run, and how a run ends."""
