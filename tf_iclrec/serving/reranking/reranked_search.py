"""A search whose lists are re-ranked."""

import tensorflow as tf

from tf_iclrec.serving.reranking.reranker import Reranker, num_candidates
from tf_iclrec.serving.searches import Asked, Search

# Candidates that are looked at together, of all users: each may have its vector in memory.
_CANDIDATES = 1 << 16


class RerankedSearch:
    """Finds more items than asked for, and chooses among them.

    Args:
        search: What finds them.
        reranker: What chooses.
        strength: From 0 to 1.
        num_items: Size of the catalogue.
    """

    def __init__(self, search: Search, reranker: Reranker, strength: float, num_items: int):
        self.search = search
        self.reranker = reranker
        self.strength = strength
        self.num_items = num_items

    def __call__(self, asked: Asked, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        n = num_candidates(k, self.num_items)
        scores, rows = self.search(asked, n)
        if not scores.shape[1]:
            return scores, rows  # No item passes the filters.
        size = max(1, _CANDIDATES // n)
        parts = [
            self.reranker(asked.item_ids[some], scores[some], rows[some], k, self.strength)
            for some in (slice(at, at + size) for at in range(0, len(asked.rows), size))
        ]
        scores, rows = zip(*parts, strict=True)
        return tf.concat(scores, axis=0), tf.concat(rows, axis=0)
