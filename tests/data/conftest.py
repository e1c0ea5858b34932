import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, load_interactions

from .batch_rows import USERS


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


@pytest.fixture(scope="session")
def raw_providers():
    """A function that gives the raw provider of each interaction, ``""`` = unknown."""

    def convert(log: Interactions) -> list[str]:
        return [_raw_provider(log, provider) for provider in log.provider_ids]

    return convert


@pytest.fixture(scope="session")
def raw_providers_of_items():
    """A function that gives the raw provider by raw item id, ``""`` = unknown."""

    def convert(log: Interactions) -> dict[str, str]:
        internal = log.items.encode(log.items.ids)
        providers = [_raw_provider(log, id) for id in log.providers.of_items[internal]]
        return dict(zip(log.items.ids.tolist(), providers, strict=True))

    return convert


def _raw_provider(log, provider):
    return "" if provider == 1 else log.providers.vocabulary.decode([provider])[0]


@pytest.fixture(scope="session")
def random_frame():
    """A function that makes a table of interactions with a column of providers, many of them
    unknown and many items with several."""

    def make(seed: int, users: int = 30, items: int = 40, rows: int = 200) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame(
            {
                "user_id": rng.integers(users, size=rows).astype(str),
                "item_id": np.minimum(rng.geometric(2 / items, size=rows), items).astype(str),
                "timestamp": np.arange(rows),
                "provider": rng.choice(["", "", "", "acme", "best", "cosy", "dean"], size=rows),
            }
        )

    return make


@pytest.fixture(scope="session")
def log():
    """Each user has a first item that nobody else has, so that a row tells whose it is."""
    rng = np.random.default_rng(3)
    lengths = [3, 4, 5, 40, *rng.integers(3, 15, size=USERS - 4).tolist()]
    return Interactions.from_sequences(
        {
            f"u{user}": [f"first of {user}", *map(str, rng.integers(25, size=n - 1))]
            for user, n in enumerate(lengths)
        }
    )


@pytest.fixture(scope="session")
def provider_log():
    """No user has an item twice, and each of its interactions may have another provider."""
    rng = np.random.default_rng(5)
    rows = [
        {"user_id": user, "item_id": item, "timestamp": time, "provider": provider}
        for user in range(USERS)
        for time, (item, provider) in enumerate(
            zip(
                rng.permutation(60)[: rng.integers(3, 20)],
                rng.choice(["", "acme", "best", "cosy"], size=20),
                strict=False,
            )
        )
    ]
    return load_interactions(pd.DataFrame(rows)).with_item_providers({"7": "dean"})
