"""The camera: what to record and when, the light that says so, and what it keeps, sealed and signed.

No Django and no server: it installs alone with [camera], and needs nothing to record but a lens and a disk.
"""
