"""Why an item is recommended: the items of the history without which it would score less."""

from typing import NamedTuple

import tensorflow as tf

from tf_iclrec.data.batches import ranking_batch_size
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID
from tf_iclrec.serving.ranker import NO_INTENT, Ranker

# About the bytes that the histories of a batch take, and those of each history: so many for an
# item of it, and for an item that is scored.
_BYTES, _PER_ITEM, _PER_SCORE = 1 << 28, 32, 1024
# What rounding alone can make of a score, in shares of it.
_ROUNDING = 1e-5


class Reasons(NamedTuple):
    """The items of histories that speak most for other items, the strongest first.

    Attributes:
        item_ids: ``(batch, n, most)`` int32 internal ids; 0 where there are fewer reasons.
        drops: ``(batch, n, most)`` float32, how much the score falls without the item, above 0;
            0 where there is no item.
        intents: ``(batch, n, most)`` int32 the intent that both items have, -1 = they have none in
            common.
        providers: ``(batch, n, most)`` int32 internal id of the provider that both have, 1 = they
            have none in common.
    """

    item_ids: tf.Tensor
    drops: tf.Tensor
    intents: tf.Tensor
    providers: tf.Tensor


class Explainer(tf.Module):
    """Finds reasons by leaving each item out of the history.

    The drop of an item of the history is the score with the history less the score that the same
    model gives to the history without the item. That is no estimate: each such history is encoded.
    An item that occurs several times is left out everywhere, for people mean the item and not a
    place in a list; and where a history is longer than what the model reads, an older item takes
    the free place, as it would had the user never met the item. So only the items among the last
    ``max_length`` can be reasons. Where nothing is left of a history, the score is the model's own
    for a user of whom nothing is known (0 where scores are dot products), not a popularity; and
    where a user's own vector suffices, the score by that.

    Only items without which the score falls are reasons; there may be fewer than asked for, and
    none from a model that does not listen to the history, such as one of popularity.

    Args:
        ranker: The model.
        catalogue: What is known of the items.

    Call arguments:
        known: ``(batch, any)`` int32 ragged, internal ids of known items, oldest first, all of
            them.
        users: ``(batch,)`` int32 rows of the users in the training log, -1 = not there.
        item_ids: ``(batch, n)`` int32 internal ids of what is to be explained; a special id has
            no reasons.
        most: Scalar int32, reasons for each.

    Returns:
        `Reasons`.

    Example: who had oil had rye; who had jam did not.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> from tf_iclrec.models.ease import EaseRecommender
    >>> log = Interactions.from_sequences(
    ...     {"ann": ["oil", "rye", "tea", "jam"], "bob": ["oil", "rye", "jam", "tea"],
    ...      "eve": ["jam", "tea", "oil", "rye"]})
    >>> split = leave_one_out(log)
    >>> model = EaseRecommender(log.num_items, l2=1.0)
    >>> model.fit_histories(split.train)
    >>> explain = Explainer(Ranker(model, split), split.catalogue)
    >>> known = tf.ragged.constant([log.items.encode(["jam", "oil"])])
    >>> reasons = explain(known, [-1], log.items.encode(["rye"])[None], 1)
    >>> log.items.decode(reasons.item_ids.numpy().ravel()).tolist()
    ['oil']
    """

    def __init__(self, ranker: Ranker, catalogue: Catalogue):
        super().__init__()
        self.ranker = ranker
        self.intents_of_items = ranker.intents_of_items
        providers = catalogue.providers
        unknown = tf.fill([catalogue.vocabulary_size], UNKNOWN_ID)
        self.providers_of_items = unknown if providers is None else tf.constant(providers.of_items)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.RaggedTensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([], tf.int32),
        ],
    )
    def __call__(self, known, users, item_ids, most) -> Reasons:
        items = _distinct(self.ranker.recent(known))
        # The first place is that of the whole history: padding is left out.
        left_out = tf.pad(items, [[0, 0], [1, 0]])
        is_real = tf.pad(items != PADDING_ID, [[0, 0], [1, 0]], constant_values=True)
        places = tf.where(is_real)
        scores = self._scores(
            known, users, item_ids, places[:, 0], tf.boolean_mask(left_out, is_real)
        )
        # Padding has the scores of the place before.
        number = tf.cumsum(tf.cast(tf.reshape(is_real, [-1]), tf.int32)) - 1
        scores = tf.gather(scores, tf.reshape(number, tf.shape(is_real)))
        whole = scores[:, 0, :, tf.newaxis]
        drops = whole - tf.transpose(scores[:, 1:], [0, 2, 1])
        counts = (items != PADDING_ID)[:, tf.newaxis] & (drops > _ROUNDING * tf.abs(whole))
        counts &= (item_ids >= NUM_SPECIAL_IDS)[:, :, tf.newaxis]
        return self._strongest(items, tf.where(counts, drops, 0.0), item_ids, most)

    def _scores(self, known, users, item_ids, rows, left_out) -> tf.Tensor:
        """Scores ``(histories, n)`` of the items ``(batch, n)`` of some rows ``(histories,)`` of
        the batch, from their histories without the items ``left_out`` ``(histories,)``."""
        longest = tf.cast(known.bounding_shape(axis=1), tf.int32)
        each = _PER_ITEM * longest + _PER_SCORE * tf.shape(item_ids)[1]
        # Nothing to explain by nothing takes no bytes.
        size = _BYTES // tf.maximum(each, 1)
        size = tf.minimum(size, ranking_batch_size(self.ranker.index.num_items))
        size = tf.maximum(size, 1)
        parts = tf.maximum((tf.shape(rows)[0] + size - 1) // size, 1)

        def score(part, found):
            some = slice(part * size, (part + 1) * size)
            kept = _without(tf.gather(known, rows[some]), left_out[some])
            encoded = self.ranker.encode(self.ranker.recent(kept), tf.gather(users, rows[some]))
            asked = tf.gather(item_ids, rows[some]) - NUM_SPECIAL_IDS
            return part + 1, found.write(part, self.ranker.index.score(encoded.own, asked))

        found = tf.TensorArray(tf.float32, parts, infer_shape=False, element_shape=[None, None])
        # One after the other, for the sake of memory.
        _, found = tf.while_loop(
            lambda part, _: part < parts, score, [0, found], parallel_iterations=1
        )
        return found.concat()

    def _strongest(self, items, drops, item_ids, most) -> Reasons:
        """Of items ``(batch, d)`` with their drops ``(batch, n, d)``."""
        drops, order = tf.math.top_k(drops, tf.minimum(most, tf.shape(drops)[2]))
        rest = [[0, 0], [0, 0], [0, most - tf.shape(drops)[2]]]
        drops = tf.pad(drops, rest)
        reasons = tf.pad(tf.gather(items, order, batch_dims=1), rest)
        reasons = tf.where(drops > 0, reasons, PADDING_ID)
        return Reasons(
            reasons,
            drops,
            _in_common(self.intents_of_items, reasons, item_ids, NO_INTENT),
            _in_common(self.providers_of_items, reasons, item_ids, UNKNOWN_ID),
        )


def _distinct(item_ids: tf.Tensor) -> tf.Tensor:
    """The distinct items of each row ``(batch, time)``, 0 in the place of a repetition."""
    ordered = tf.sort(item_ids, axis=1)
    is_repeated = tf.pad(ordered[:, 1:] == ordered[:, :-1], [[0, 0], [1, 0]])
    return tf.where(is_repeated, PADDING_ID, ordered)


def _without(histories: tf.RaggedTensor, left_out: tf.Tensor) -> tf.RaggedTensor:
    """Histories without an item each ``(batch,)``."""
    rows = histories.value_rowids()
    is_kept = histories.values != tf.gather(left_out, rows)
    return tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(histories.values, is_kept),
        tf.boolean_mask(rows, is_kept),
        histories.nrows(),
        validate=False,
    )


def _in_common(of_items: tf.Tensor, reasons: tf.Tensor, item_ids: tf.Tensor, none: int):
    """What reasons ``(batch, n, most)`` and the items that they are for ``(batch, n)`` both are,
    by internal id; ``none`` where they differ."""
    own = tf.gather(of_items, item_ids)[:, :, tf.newaxis]
    of_reasons = tf.gather(of_items, reasons)
    same = (own == of_reasons) & (reasons != PADDING_ID)
    return tf.where(same, own, none)
