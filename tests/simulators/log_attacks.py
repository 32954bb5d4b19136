"""Attacks on a log, its tiles and its checkpoint store."""

from simulators.attacks import Row

ROWS: list[Row] = []
