"""The version of the package: the one place that says it. Imports nothing."""

__version__ = "0.1.0"
