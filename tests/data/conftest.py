import numpy as np
import pytest

from tf_iclrec import Interactions


@pytest.fixture(scope="session")
def random_log():
    """A function that makes a log in which the same items come up again and again."""

    def make(seed: int, users: int, items: int, shortest: int, longest: int) -> Interactions:
        rng = np.random.default_rng(seed)
        return Interactions.from_sequences(
            {
                f"u{user}": [f"i{item}" for item in rng.integers(items, size=length)]
                for user, length in enumerate(rng.integers(shortest, longest + 1, size=users))
            }
        )

    return make


@pytest.fixture(scope="session")
def raw_sequences():
    """A function that gives a log back as the dict `Interactions.from_sequences` takes."""

    def convert(log: Interactions) -> dict[str, list[str]]:
        pieces = np.split(log.items.decode(log.item_ids), log.offsets[1:-1])
        return {
            user: piece.tolist() for user, piece in zip(log.users.tolist(), pieces, strict=True)
        }

    return convert
