"""Ways to diversify, by name."""

import numpy as np

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.reranking.intents import IntentReranker
from tf_iclrec.serving.reranking.providers import ProviderReranker
from tf_iclrec.serving.reranking.reranker import Reranker
from tf_iclrec.serving.reranking.similarity import SimilarityReranker

RERANKERS: dict[str, type[Reranker]] = {
    "intents": IntentReranker,
    "providers": ProviderReranker,
    "similarity": SimilarityReranker,
}
DEFAULT_RERANKER = "intents"


def check_diversity(diversity: float, diversify: str) -> None:
    """Make sure that there is such a way, and such a strength.

    Raises:
        UserError: If not.
    """
    if diversify not in RERANKERS:
        raise UserError(f"No way to diversify is {diversify!r}: {nearest(diversify, RERANKERS)}")
    if not (isinstance(diversity, int | float | np.number) and 0 <= diversity <= 1):
        raise UserError(
            f"diversity must be from 0, for the plain list, to 1, not {diversity!r:.9}."
        )


def possible_rerankers(ranker: Ranker, catalogue: Catalogue) -> list[str]:
    """The ways for which a model and its data have what is needed."""
    return [name for name, kind in RERANKERS.items() if not kind.lacking(ranker, catalogue)]


def make_reranker(name: str, ranker: Ranker, catalogue: Catalogue) -> Reranker:
    """A way to diversify the lists of a model.

    Raises:
        UserError: If the model or the data do not have what is needed.
    """
    lacking = RERANKERS[name].lacking(ranker, catalogue)
    if lacking:
        others = possible_rerankers(ranker, catalogue)
        instead = f" Possible is diversify={' or '.join(map(repr, others))}." if others else ""
        raise UserError(f"Lists can't be diversified by {name}: {lacking}.{instead}")
    return RERANKERS[name](ranker, catalogue)
