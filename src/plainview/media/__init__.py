"""Read what recordings are made of: seekable binary files in, values out.

Nothing here opens a path, asks the network, knows Django or holds a key. The bytes are hostile
until proven otherwise, so callers run these functions in the decoder jail.
"""
