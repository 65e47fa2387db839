"""The version of the package, defined only here. Imports nothing."""

__version__ = "0.1.0"
