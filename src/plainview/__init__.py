"""Plainview: body-worn video that anyone can check."""
