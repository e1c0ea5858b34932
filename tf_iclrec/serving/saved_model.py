"""A SavedModel for TF Serving: raw ids in, raw ids out."""

from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf

from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import Vocabulary
from tf_iclrec.files import replace_directory
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.serving_module import ServingModule
from tf_iclrec.serving.warm_up import write_warm_up_requests
from tf_iclrec.settings import Setting, checked


@checked
def export_saved_model(
    model: Recommender,
    split: Split,
    directory: str | Path,
    k: Annotated[
        int, Setting("items in served answers to requests that don't say", at_least=1)
    ] = 20,
    max_k: Annotated[int, Setting("the most that a request may ask for", at_least=1)] = 1000,
    filter_seen: bool = True,
) -> None:
    """Write a SavedModel with the signatures of `ServingModule`, and requests to warm it up.

    Args:
        model: The recommender.
        split: What it was trained on, for the vocabularies and popularity.
        directory: The version folder, such as ``savedmodels/shop/1``; replaced if it exists.
        k: Number of items in answers to requests that don't say.
        max_k: The most that a request may ask for.
        filter_seen: Whether `serving_default`, whose requests don't say, leaves out items of the
            history; as the run was evaluated.

    Raises:
        UserError: If tensorflow-recommenders is not installed, or the disk is full.

    Example: what TF Serving answers to a request.
    >>> import tempfile
    >>> from tf_iclrec import Interactions, PopularityRecommender, leave_one_out
    >>> split = leave_one_out(Interactions.from_sequences({"ann": ["tea", "jam", "oil"]}))
    >>> folder = tempfile.mkdtemp() + "/shop/1"
    >>> export_saved_model(PopularityRecommender([1, 2, 3]), split, folder, k=2)
    >>> served = tf.saved_model.load(folder)
    >>> served.signatures["serving_default"](tf.constant([["tea"]]))["item_ids"].numpy().tolist()
    [[b'oil', b'jam']]
    """
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    log = split.interactions
    ranker = Ranker(model, split)
    users = Vocabulary(log.users) if "users" in model.reads else None
    rows = split.trained_rows(np.arange(log.num_users))
    module = ServingModule(
        ranker, log.items, split.catalogue, k, max_k, users, rows, filter_seen=filter_seen
    )
    signatures = module.signatures
    with replace_directory(directory) as path:
        tf.saved_model.save(module, str(path), signatures=signatures)
        write_warm_up_requests(path, directory.parent.name, signatures, module.raw_ids[0])
