"""Check a note, a receipt or a package, trusting nobody: signatures, inclusion, and every byte.

Standard library only, and Python 3.8 (`cryptography` is used where it is installed, for speed): with formats these
modules are joined into every package's verify.py. A verifier returns or raises VerificationError, nothing else,
whatever the bytes.
"""
