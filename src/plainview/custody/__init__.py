"""The custody log's ordered half: one append-only row per act, in the transaction of the act itself.

`record` writes the row, `sequence` gives rows their place in the log and publishes signed checkpoints. The other
half, hashes and signatures, is `plainview.vault.log`.
"""
