"""What contrasts of views with prototypes of their sequences have in common."""

from typing import Annotated, Literal

from keras import KerasTensor

from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.objective import EncodedBatch
from tf_iclrec.settings import Setting


class ViewContrast(Contrast):
    """Base of the contrasts that compare mean-pooled views with something of the sequence.

    The views are augmented sequences, as ICLRec has them, or the sequence as it is, in which case
    the only noise is the encoder's dropout (as in SimCSE, Gao et al., EMNLP 2021): a third of the
    encoder's work.

    Args:
        views: ``"augmented"`` sequences, or the sequence itself under ``"dropout"``. Defaults to
            ``"augmented"``.

        For the others see `Contrast`.
    """

    def __init__(
        self,
        *args,
        views: Annotated[
            Literal["augmented", "dropout"],
            Setting("what is compared: augmented sequences, or the sequence under dropout"),
        ] = "augmented",
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.views = views
        self.needs_views = views == "augmented"

    def views_of(self, encoded: EncodedBatch) -> list[KerasTensor]:
        """One view or two, each ``(batch, dim)``, as they are compared."""
        views = encoded.view_vectors if self.needs_views else (encoded.own_vectors,)
        return [self.compared(view) for view in views]

    def get_config(self) -> dict:
        return super().get_config() | {"views": self.views}
