"""Recommendations from Python: for histories at hand, or for users of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.new_items import NewItems
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.runs import Run, load_run
from tf_iclrec.serving.batch_recommender import BatchRecommender, OnUnknown, encode_lists
from tf_iclrec.serving.item_filters import ItemValues
from tf_iclrec.serving.new_items import with_new_items
from tf_iclrec.serving.reranking.registry import DEFAULT_RERANKER
from tf_iclrec.serving.saved_model_recommender import SavedModelRecommender, is_saved_model
from tf_iclrec.serving.user_table import ItemIds, UserHistories, UserTable, id_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def recommend(
    run_or_model: str | Path | Run | Recommender | BatchRecommender,
    histories: UserHistories | pa.Table | None = None,
    *,
    user_ids: Sequence[str] | None = None,
    split: Split | None = None,
    k: int = 20,
    filter_seen: bool | None = None,
    exclude: ItemIds = (),
    candidates: ItemIds | None = None,
    only: ItemValues | None = None,
    without: ItemValues | None = None,
    new_items: str | Path | NewItems | None = None,
    diversity: float = 0.0,
    diversify: str = DEFAULT_RERANKER,
    because: int = 0,
    on_unknown: OnUnknown = "ignore",
) -> pd.DataFrame | pa.Table:
    """Recommend items, by histories or by user ids.

    Args:
        run_or_model: A run, its directory, the folder of a SavedModel such as
            ``savedmodels/shop/1``, or a model together with ``split``. Or a
            `tf_iclrec.BatchRecommender`, which spares further calls the making of an index.
        histories: Raw item ids of each user, oldest first: by user id, a list of lists, or an
            Arrow table with the columns ``user_id`` (strings) and ``history`` (lists of strings)
            and optionally ``exclude`` (lists of strings) in place of that argument.
        user_ids: Users of the run's data in place of ``histories``, those included who could not be
            split. All their interactions count, those held out for validation and test as well.
        split: What the model was trained on; with a model only.
        k: Items per user.
        filter_seen: Whether items of a user's own history are left out. Defaults to what a run was
            evaluated with, also where it was exported, of anything else to True.
        exclude: Item ids that are never returned: the same for all users, or a list per user.
        candidates: Item ids that alone may be returned, in the same two forms.
        only: Values that items must have, such as ``{"category": ["tea", "jam"]}``: one of those
            listed, of each attribute that is named; ``"provider"`` is the items' provider.
        without: Values that items must not have, in the same form.
        new_items: Items that came after the training, as a table or as raw values by name, by raw
            item id: ``{"oolong": {"category": "tea"}}``; see `tf_iclrec.with_new_items`.
        diversity: How much the items of a list should differ rather than score high, from 0, the
            plain list, to 1. Chosen from are the best ``5 * k`` items, 100 at least; scores stay
            as they are, so they no longer fall from rank to rank.
        diversify: In what: ``"intents"`` gives each list the intents of the user's history in
            their proportions, ``"providers"`` lets each further item of a provider count half as
            much, ``"similarity"`` keeps items apart whose vectors are alike. See
            `tf_iclrec.serving.reranking`.
        because: How many reasons are named for each item: the items of the user's history without
            which its score would fall most. See `tf_iclrec.serving.explainer.Explainer`.
        on_unknown: Whether unknown users, items and values are ignored (a user without a known
            item gets the items by popularity; no item has an unknown value) or raise.

    Returns:
        A frame, or where histories are an Arrow table another one, with ``user_id`` (the row
        number for a list of histories), ``item_id``, ``score``, ``rank`` (from 1) and
        ``from_popularity``, best items first. A user for whom fewer than ``k`` items are left has
        fewer rows. With ``because`` there is one more column of that name, a list of reasons, the
        strongest first, each with ``item_id``, ``drop`` (how much lower the score is without that
        item), and the ``intent`` (its number) and ``provider`` that both items have, null where
        they have none in common. Items without which the score does not fall are no reasons.

    Raises:
        UserError: If an id is unknown and ``on_unknown`` is ``"raise"``, if ``k`` is not
            between 1 and the number of items, if ``because`` is not between 0 and 1000 or
            ``diversity`` not between 0 and 1, if the model has no intents or item vectors, or its
            items no providers, to ``diversify`` by, if no candidate is known, if ``only`` or
            ``without`` names what is not known of the items, if a SavedModel is asked for what
            only a run knows: ``user_ids``, ``candidates``, ``new_items`` and unknown ids, or if a
            `BatchRecommender` is given ``new_items``, or what is no model alone a ``split``.

    Example:
    >>> from tf_iclrec import Interactions, build_model, leave_one_out, make_config
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam", "oil"]})
    >>> split = leave_one_out(log)
    >>> model = build_model(make_config(model="sasrec", max_length=5), split.catalogue)
    >>> recommend(model, [["tea", "jam"]], split=split, k=1)["item_id"].tolist()
    ['oil']
    """
    import pyarrow as pa

    if (histories is None) == (user_ids is None):
        raise UserError("Give either histories or user_ids.")
    if on_unknown not in ("ignore", "raise"):
        raise UserError(f"on_unknown is 'ignore' or 'raise', not {on_unknown!r}.")
    if isinstance(user_ids, str):
        raise UserError(f"user_ids is a list, [{user_ids!r}], not {user_ids!r}.")
    users = None if histories is None else UserTable.of(histories, exclude)
    if isinstance(run_or_model, str | Path) and is_saved_model(run_or_model):
        strict = on_unknown if on_unknown == "raise" else None
        _refuse(
            "A SavedModel alone",
            "give its run",
            user_ids=user_ids,
            split=split,
            candidates=candidates,
            new_items=new_items,
            on_unknown=strict,
        )
        served = SavedModelRecommender(run_or_model)
        found = served.recommend(
            users, k, filter_seen, only, without, because, diversity, diversify
        )
        return found if isinstance(histories, pa.Table | pa.RecordBatch) else _frame(found)
    recommender = recommender_of(run_or_model, split, new_items)
    trained_rows = None
    if users is None:
        user_ids = list(user_ids)
        if len({*map(type, user_ids)}) > 1:  # A column of the answer has one type.
            user_ids = [id_text(user) for user in user_ids]
        names, encoded = user_ids, recommender.histories_of(user_ids, on_unknown)
        excluded = recommender.encode_items(exclude, len(names), on_unknown)
        trained_rows = recommender.trained_rows(user_ids)
    else:
        names = users.user_ids
        encoded = encode_lists(users.histories, recommender.items, on_unknown)
        excluded = encode_lists(users.exclude, recommender.items, on_unknown)
    if candidates is not None:
        candidates = recommender.encode_items(candidates, len(names), on_unknown)
    search = recommender.search(candidates, only, without, on_unknown)
    search = recommender.diversified(search, diversity, diversify)
    found = recommender.recommend(
        names, encoded, k, filter_seen, excluded, search, trained_rows, because
    )
    return found if isinstance(histories, pa.Table | pa.RecordBatch) else _frame(found)


def _frame(found: pa.Table) -> pd.DataFrame:
    # Or the intents of reasons became floats, where some have none.
    return found.to_pandas(integer_object_nulls=True)


def _refuse(what: str, instead: str, **arguments: object) -> None:
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise UserError(f"{what} does not take {', '.join(given)}: {instead}.")


def recommender_of_run(run: Run, newer: Interactions | None = None) -> BatchRecommender:
    """For a run, whose evaluation says whether items of the history are left out.

    Args:
        run: The run.
        newer: As in `BatchRecommender`.
    """
    return BatchRecommender(run.model, run.split, newer, run.config.evaluation.filter_seen)


def recommender_of(
    run_or_model: str | Path | Run | Recommender | BatchRecommender,
    split: Split | None = None,
    new_items: str | Path | NewItems | None = None,
) -> BatchRecommender:
    """For a run, its directory, or a model and what it was trained on; or itself.

    Raises:
        UserError: If a model alone has no split, or something else is given one; or if there are
            new items for a recommender that is made already.
    """
    if isinstance(run_or_model, BatchRecommender):
        instead = "give them to the one that it is made of"
        _refuse("A BatchRecommender", instead, split=split, new_items=new_items)
        return run_or_model
    if isinstance(run_or_model, str | Path | Run):
        _refuse("A run", "it has its own", split=split)
    if isinstance(run_or_model, str | Path):
        run_or_model = load_run(run_or_model, for_serving=True)
    if isinstance(run_or_model, Run):
        run = run_or_model if new_items is None else run_or_model.with_new_items(new_items)
        return recommender_of_run(run)
    if split is None:
        raise UserError("A model alone has no item ids: give its split as well.")
    if new_items is not None:
        run_or_model, split = with_new_items(run_or_model, split, new_items)
    return BatchRecommender(run_or_model, split)
