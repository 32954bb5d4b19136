"""Plainview: body-worn video that anyone can check."""

__version__ = "0.1.0"
