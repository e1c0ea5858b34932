import pytest

from tf_iclrec import Interactions, leave_one_out


@pytest.fixture(scope="session")
def split():
    """Users walk round a circle of twelve items, so the next item can be learned. Three in a
    row have the same provider."""
    sequences = {
        f"user {u}": [f"{(u + step) % 12:02}" for step in range(5 + u % 4)] for u in range(36)
    }
    brands = {f"{item:02}": f"brand {item // 3}" for item in range(12)}
    return leave_one_out(Interactions.from_sequences(sequences).with_item_providers(brands))
