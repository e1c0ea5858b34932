"""What contrasts of views with prototypes of their sequences have in common."""

from typing import Annotated, Literal

from keras import KerasTensor

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce
from tf_iclrec.settings import Setting, checked


class ViewContrast(Contrast):
    """Base of the contrasts that compare mean-pooled views with something of the sequence.

    The views are augmented sequences, as ICLRec has them, or the sequence as it is, in which case
    the only noise is the encoder's dropout (as in SimCSE, Gao et al., EMNLP 2021): a third of the
    encoder's work.

    Args:
        views: ``"augmented"`` sequences, or the sequence itself under ``"dropout"``. Defaults to
            ``"augmented"``.
        both_ways: Whether the views of the other users are negatives as well, and each prototype
            picks its view among all views and the other prototypes: the loss of SeqCL with the
            prototypes as second view, as in the authors' program. Defaults to False, Eq. 16.

        For the others see `Contrast`.

    Raises:
        UserError: If ``views`` is something else.
    """

    @checked
    def __init__(
        self,
        *args,
        views: Annotated[
            Literal["augmented", "dropout"],
            Setting("what is compared: augmented sequences, or the sequence under dropout"),
        ] = "augmented",
        both_ways: Annotated[
            bool, Setting("views are negatives too, and prototypes pick views (ICLRec's program)")
        ] = False,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.views = views
        self.both_ways = both_ways
        self.needs_views = views == "augmented"

    def views_of(self, encoded: EncodedBatch) -> list[KerasTensor]:
        """One view or two, each ``(batch, dim)``, as they are compared."""
        views = encoded.view_vectors if self.needs_views else (encoded.own_vectors,)
        return [self.compared(view) for view in views]

    def loss(
        self, view: KerasTensor, prototypes: KerasTensor, group_ids: KerasTensor | None
    ) -> KerasTensor:
        """Of views ``(batch, dim)`` with their prototypes ``(batch, dim)``, a scalar; rows of the
        same group are no negatives to each other: see `Contrast.groups`."""
        info_nce = two_view_info_nce if self.both_ways else in_batch_info_nce
        return info_nce(view, prototypes, self.temperature, group_ids)

    def get_config(self) -> dict:
        return super().get_config() | {"views": self.views, "both_ways": self.both_ways}
