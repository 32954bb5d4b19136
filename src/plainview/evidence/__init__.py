"""Recordings and what they are made of: originals, parts, devices, wearers. Every change carries its act."""
