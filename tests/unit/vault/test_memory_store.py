import pytest

from simulators.memory_store import MemoryStore
from simulators.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self):
        return MemoryStore()
