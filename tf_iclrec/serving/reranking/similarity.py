"""Lists of items that are unlike each other."""

import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.reranking.reranker import Reranker


class SimilarityReranker(Reranker):
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    The gain of an item is one less the largest cosine of its vector with that of an item in the
    list.
    """

    def __init__(self, ranker: Ranker, catalogue: Catalogue):
        super().__init__(ranker, catalogue)
        self.ranker = ranker

    @classmethod
    def lacking(cls, ranker, catalogue):
        return "" if ranker.model.by_dot_product else "the model has no item vectors"

    def start(self, item_ids, rows):
        vectors = tf.math.l2_normalize(self.ranker.vectors_of(rows), axis=2)
        return vectors, -tf.ones_like(rows, tf.float32)

    def gain(self, state, place):
        return 1.0 - state[1]

    def with_chosen(self, state, best):
        vectors, likeness = state
        chosen = tf.gather(vectors, best, batch_dims=1)
        return vectors, tf.maximum(likeness, tf.einsum("bnd,bd->bn", vectors, chosen))
