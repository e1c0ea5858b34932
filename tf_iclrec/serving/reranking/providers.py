"""Lists of several providers."""

import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.reranking.reranker import Reranker


class ProviderReranker(Reranker):
    """A soft cap: each further item of a provider counts half as much as the one before.

    The gain of an item is ``0.5 ** n``, with ``n`` items of its provider in the list: the gain of
    alpha-nDCG (Clarke et al., SIGIR 2008, Eq. 4, alpha = 0.5) with providers as subtopics. It is
    no calibration, for the list of a user who has bought of one provider would be calibrated when
    it is all of that one. A cap that never gives way is `tf_iclrec.limit_per_provider`.

    Items of unknown provider share it with no other.
    """

    def __init__(self, ranker: Ranker, catalogue: Catalogue):
        super().__init__(ranker, catalogue)
        self.providers_of_items = tf.constant(catalogue.providers.of_items[NUM_SPECIAL_IDS:])

    @classmethod
    def lacking(cls, ranker, catalogue):
        return "" if catalogue.providers is not None else "the items have no providers"

    def start(self, item_ids, rows):
        own = tf.gather(self.providers_of_items, rows)
        return own, tf.ones_like(own, tf.float32)

    def gain(self, state, place):
        return state[1]

    def with_chosen(self, state, best):
        own, gains = state
        chosen = tf.gather(own, best, batch_dims=1)[:, tf.newaxis]
        same = (own == chosen) & (chosen != UNKNOWN_ID)
        return own, tf.where(same, 0.5 * gains, gains)
