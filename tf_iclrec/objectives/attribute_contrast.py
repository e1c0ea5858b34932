"""A user's views against what the user's items are of: ICL with intents that are known."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.errors import UserError
from tf_iclrec.layers.attribute_prototypes import AttributePrototypes
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.objectives.view_contrast import ViewContrast

# Of the cosine of prototypes that are the same but for rounding.
_SAME = 1 - 1e-6


@keras.saving.register_keras_serializable("tf_iclrec")
class AttributeContrast(ViewContrast):
    """The mean-pooled views against the mean category vector of the original sequence.

    ICLRec-A (ICLRec, Appendix E): the prototype ``c_u`` of Eq. 15-17 is the mean of trainable
    vectors of the categories of the user's items (`AttributePrototypes`) in place of the centroid
    of a cluster, so there is no E-step. All else is as in `IntentContrast`: the negatives are the
    prototypes of the other users in the batch, and the losses of both views are averaged. Users of
    whose items nothing is known are left out.

    Args:
        weight: ``lambda`` of ICLRec Eq. 18. Defaults to 0.1.
        mitigate_false_negatives: FNM, Eq. 17 instead of Eq. 16: whether users with the same
            prototype, such as those who have items of one category alone, are no negatives.
            Defaults to False.
        views: See `ViewContrast`, as for ``both_ways``; prototypes have length 1.
        vocabulary_size: Number of item ids, the three special ones included. This and what
            follows is only given where a saved objective is loaded; otherwise `build` knows.
        attribute_vocabulary_sizes: Number of ids of each attribute's values, likewise.
        dim: Width of the vectors.

    Attributes:
        layer: The trainable part, once there is a catalogue; None before.

    Example: two users with a category of their own each, and views without any similarity.
    >>> import numpy as np
    >>> from tf_iclrec import ItemAttribute, Vocabulary
    >>> kind = ItemAttribute(Vocabulary(["tea", "jam"]), np.array([0, 1, 2, 3, 4]))
    >>> term = AttributeContrast(views="dropout")
    >>> term.build(Catalogue(num_items=2, attributes={"kind": kind}), dim=4)
    >>> batch = EncodedBatch(
    ...     hidden=None, target_ids=None, item_vectors=None,
    ...     own_vectors=ops.zeros((2, 4)), item_ids=ops.array([[3], [4]]))
    >>> round(float(term(batch)), 4)
    0.6931
    """

    name = "attribute_contrast"
    prefix = "attribute_"
    title = "Contrast with the items' attributes (ICLRec-A)"
    reads = ("attributes",)

    def __init__(
        self,
        *args,
        vocabulary_size: int | None = None,
        attribute_vocabulary_sizes: Sequence[int] = (),
        dim: int | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        # Who is alike is seen at the prototypes.
        self.needs_intents = False
        self.vocabulary_size = vocabulary_size
        self.attribute_vocabulary_sizes = tuple(attribute_vocabulary_sizes)
        self.dim = dim
        self.layer = self._new_layer() if self.attribute_vocabulary_sizes else None

    def build(self, catalogue: Catalogue, dim: int) -> None:
        """Make the layer, before the training.

        Args:
            catalogue: Items and their attributes, all of which are used.
            dim: Width of the views.

        Raises:
            UserError: If nothing is known of the items.
        """
        attributes = list(catalogue.attributes.values())
        if not attributes:
            raise UserError(
                "Intents from categories need the items' categories: name columns of the table of "
                "items with --item-attributes."
            )
        self.vocabulary_size = catalogue.vocabulary_size
        self.attribute_vocabulary_sizes = tuple(one.vocabulary.size for one in attributes)
        self.dim = dim
        self.layer = self._new_layer()
        self.layer.set_attributes([one.of_items for one in attributes])

    def _new_layer(self) -> AttributePrototypes:
        sizes = self.attribute_vocabulary_sizes
        layer = AttributePrototypes(self.vocabulary_size, sizes, self.dim, name=self.name)
        layer.build()
        return layer

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        prototypes = self.layer(encoded.item_ids)
        known = tf.reduce_any(prototypes != 0, axis=-1)
        # Without anyone left a mean would be no number. The prototypes of all are zero then, and so
        # are the gradients.
        kept = known | ~tf.reduce_any(known)
        alike = _first_alike(prototypes) if self.mitigate_false_negatives else None
        group_ids = self.groups(encoded, alike)
        if group_ids is not None:
            group_ids = tf.boolean_mask(group_ids, kept)
        prototypes = tf.boolean_mask(prototypes, kept)
        losses = [
            self.loss(tf.boolean_mask(view, kept), prototypes, group_ids)
            for view in self.views_of(encoded)
        ]
        return ops.mean(ops.stack(losses))

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "attribute_vocabulary_sizes": self.attribute_vocabulary_sizes,
            "dim": self.dim,
        }


def _first_alike(prototypes: KerasTensor) -> KerasTensor:
    """``(batch,)``: by row of ``(batch, dim)`` the number of the first row that is the same."""
    # A GPU multiplies in TF32 otherwise, in which a row is hardly like itself.
    prototypes = tf.cast(prototypes, tf.float64)
    cosines = tf.matmul(prototypes, prototypes, transpose_b=True)
    return tf.argmax(cosines > _SAME, axis=1)
