"""What camera, dock, server and an outside expert all parse: bytes to frozen dataclasses and back.

Standard library only, and Python 3.8: these modules are copied whole into every package's verify.py.
A parser here refuses what its writer would not have written.
"""
