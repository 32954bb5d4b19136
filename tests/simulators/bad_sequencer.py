"""A sequencer that is wrong in the obvious way: it takes rows in the order of their ids and remembers the last one.

Ids are given when a row is inserted, not when it is committed, so a row whose transaction ends later lies behind
the cursor for ever. The tests that find nothing lost with ours must find something lost with this one.
"""

from plainview.formats.leaf import CustodyLeaf, format_leaf
from plainview.formats.merkle import leaf_hash
from simulators.custody_rows import START, ask


class IdCursorSequencer:
    def __init__(self):
        self.objects = []
        self.hashes = []
        self.last_id = 0

    def assign(self):
        rows = ask("SELECT id, object FROM custody_act WHERE id > %s ORDER BY id", self.last_id)
        for act_id, word in rows:
            leaf = CustodyLeaf(
                len(self.objects),
                START,
                "recording.received",
                word,
                "system:tests",
                "ok",
                None,
                {},
                None,
                None,
            )
            self.hashes.append(leaf_hash(format_leaf(leaf)))
            self.objects.append(word)
            self.last_id = act_id
        return len(rows)
