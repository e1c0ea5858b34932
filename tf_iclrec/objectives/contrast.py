"""What contrastive objectives have in common."""

from typing import Annotated, ClassVar

from keras import KerasTensor, ops

from tf_iclrec.layers.unit_vectors import unit_vectors
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting, checked


class Contrast(Objective):
    """Base of the contrastive objectives.

    A subclass has a ``title`` for the help of commands and a ``prefix``, such as ``"future_"``,
    that its options begin with: ``--future-weight``. Entered in `CONTRASTS` under its ``name``, it
    is part of every model whose configuration gives it a weight.

    Args:
        weight: Factor of the term in the total loss. Defaults to 0.1.
        temperature: Divides the similarities. Defaults to 1.
        normalize: Whether to compare directions (cosine) in place of dot products. Dot
            products can be large; beside a softmax over the catalogue they take over the
            training. Defaults to False, as published.
        mitigate_false_negatives: FNM: whether users of the same intent are left out of the
            negatives (with several numbers of intents: of the same first one, unless the
            objective says otherwise). Defaults to False.

    Example: users apart from each other, by the mean similarity of any two.
    >>> class Apart(Contrast):
    ...     name, prefix, title = "apart", "apart_", "Users apart"
    ...     def __call__(self, encoded):
    ...         vectors = self.compared(encoded.own_vectors)
    ...         return ops.mean(ops.matmul(vectors, ops.transpose(vectors))) / self.temperature
    >>> batch = EncodedBatch(None, None, None, own_vectors=ops.array([[3.0, 0.0], [0.0, 4.0]]))
    >>> float(Apart()(batch)), float(Apart(normalize=True)(batch))  # (9 + 16) / 4; (1 + 1) / 4
    (6.25, 0.5)
    """

    title: ClassVar[str]
    prefix: ClassVar[str] = ""
    compares_rows = True

    @checked
    def __init__(
        self,
        weight: Annotated[
            float, Setting("weight in the total loss, 0: without this contrast", at_least=0)
        ] = 0.1,
        temperature: Annotated[float, Setting("what similarities are divided by", above=0)] = 1.0,
        normalize: Annotated[
            bool,
            Setting(
                "contrast directions (cosine) in place of dot products",
                option="normalize_contrast",
            ),
        ] = False,
        mitigate_false_negatives: Annotated[
            bool, Setting("users of one intent are no negatives to each other", option="{}fnm")
        ] = False,
    ):
        super().__init__(weight)
        self.temperature = temperature
        self.normalize = normalize
        self.mitigate_false_negatives = mitigate_false_negatives
        self.needs_intents = self.needs_intents or mitigate_false_negatives

    def compared(self, vectors: KerasTensor) -> KerasTensor:
        """Vectors ``(batch, dim)`` as they are compared: float32, of length 1 if so set."""
        vectors = ops.cast(vectors, "float32")
        return unit_vectors(vectors) if self.normalize else vectors

    def groups(self, encoded: EncodedBatch, alike: KerasTensor | None = None) -> KerasTensor | None:
        """Who are no negatives to each other: windows of the same user's history and, with
        ``mitigate_false_negatives``, users of the same intent.

        Args:
            encoded: The batch.
            alike: Groups of users ``(batch,)`` in place of those of the same intent.

        Returns:
            ``(batch, kinds)`` int32, for `others_of_group`; None where all are negatives.
        """
        kinds = [] if encoded.users is None else [encoded.users]
        if self.mitigate_false_negatives:
            kinds.append(encoded.intent_groups() if alike is None else alike)
        if not kinds:
            return None
        return ops.stack([ops.cast(kind, "int32") for kind in kinds], axis=-1)

    def get_config(self) -> dict:
        return super().get_config() | {
            "temperature": self.temperature,
            "normalize": self.normalize,
            "mitigate_false_negatives": self.mitigate_false_negatives,
        }
