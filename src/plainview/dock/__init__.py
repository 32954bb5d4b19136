"""The dock: finds cameras, hands in what they recorded, and erases only what a checked receipt covers.

No Django; it installs alone with [dock], and speaks to the server over HTTP only.
"""
