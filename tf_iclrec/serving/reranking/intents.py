"""Lists with the user's intents in their proportions."""

import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.reranking.reranker import Reranker

# How much of the history's shares is in the list's: so that none of them is zero (Steck, Eq. 7).
_ALPHA = 0.01


class IntentReranker(Reranker):
    """Calibrated recommendations (Steck, RecSys 2018, Eq. 4-7) over intents.

    The gain of an item is how much the divergence ``KL(p || q')`` falls with it: ``p`` are the
    shares of the intents among the items of the history that the model reads, ``q`` those among
    the items of the list so far, and ``q' = (1 - a) q + a p`` with ``a = 0.01``. The intent of an
    item is that of a history of it alone.

    Steck's ``p`` is a mean over the history, and so it is here, not the user's affinities to the
    intents: ``p`` and ``q`` must count the same thing for a list to be able to reach ``p``.
    Affinities come from one mean vector, which lies between the intents of a user with several,
    and how sharp they are hangs on a temperature that nothing in the data sets.

    For a user without a known item the list is the plain one.
    """

    def __init__(self, ranker: Ranker, catalogue: Catalogue):
        super().__init__(ranker, catalogue)
        self.intents_of_items = ranker.intents_of_items
        self.num_intents = ranker.model.intents.num_intents[0]

    @classmethod
    def lacking(cls, ranker, catalogue):
        return "" if ranker.model.found_intents else "the model has no intents"

    def start(self, item_ids, rows):
        is_item = tf.cast(item_ids >= NUM_SPECIAL_IDS, tf.float32)
        # Padding has none, and counts nowhere.
        intents = tf.maximum(tf.gather(self.intents_of_items, item_ids), 0)
        counts = tf.math.bincount(
            intents, is_item, self.num_intents, self.num_intents, tf.float32, axis=-1
        )
        shares = tf.math.divide_no_nan(counts, tf.reduce_sum(counts, axis=1, keepdims=True))
        own = tf.gather(self.intents_of_items, rows + NUM_SPECIAL_IDS)
        # Of each candidate its intent, the intent's share and how often the list has it.
        return own, tf.gather(shares, own, batch_dims=1), tf.zeros_like(own, tf.float32)

    def gain(self, state, place):
        # All but an item's own intent is the same with any item, and left out.
        _, shares, counts = state
        length = tf.cast(place, tf.float32) + 1.0
        without = (1.0 - _ALPHA) * counts / length + _ALPHA * shares
        with_it = without + (1.0 - _ALPHA) / length
        ratio = tf.where(shares > 0, with_it / tf.where(shares > 0, without, 1.0), 1.0)
        return shares * tf.math.log(ratio)

    def with_chosen(self, state, best):
        own, shares, counts = state
        same = own == tf.gather(own, best, batch_dims=1)[:, tf.newaxis]
        return own, shares, counts + tf.cast(same, tf.float32)
