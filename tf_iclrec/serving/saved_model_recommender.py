"""Recommendations from a SavedModel alone, for tables of users: no run, no log."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.errors import UserError
from tf_iclrec.serving.item_filters import ItemValues, as_cells
from tf_iclrec.serving.ranker import NO_INTENT
from tf_iclrec.serving.reason_column import FoundReasons, check_because
from tf_iclrec.serving.recommendation_table import recommendation_table
from tf_iclrec.serving.reranking.registry import DEFAULT_RERANKER, check_diversity
from tf_iclrec.serving.user_table import UserTable
from tf_iclrec.settings import is_whole

if TYPE_CHECKING:
    import pyarrow as pa

_SIGNATURE = "recommend"
_INPUTS = {"history", "k", "exclude", "filter_seen", "only", "without"}
_USERS, _EXPLAINED = 256, 64


class SavedModelRecommender:
    """A model as `tf_iclrec.export_saved_model` wrote it, for any number of requests.

    Args:
        directory: A version folder, such as ``savedmodels/shop/1``.

    Attributes:
        filter_seen: Whether items of a user's own history are left out where it is not said: as the
            model was exported.

    Raises:
        UserError: If the folder holds no such model.

    Example:
    >>> import pyarrow as pa, tempfile
    >>> from tf_iclrec import Interactions, PopularityRecommender, leave_one_out
    >>> from tf_iclrec import export_saved_model
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam", "oil"]})
    >>> split = leave_one_out(log)
    >>> folder = tempfile.mkdtemp() + "/1"
    >>> export_saved_model(PopularityRecommender.from_training_data(split), split, folder)
    >>> users = pa.table({"user_id": ["eve"], "history": [["tea"]]})
    >>> SavedModelRecommender(folder).recommend_table(users, k=1)["item_id"].to_pylist()
    ['jam']
    """

    def __init__(self, directory: str | Path):
        if not is_saved_model(directory):
            raise UserError(f"{directory} holds no SavedModel: it has no saved_model.pb.")
        # The functions need what they were loaded with.
        self._loaded = tf.saved_model.load(str(directory))
        recommend = self._loaded.signatures.get(_SIGNATURE)
        inputs = recommend and set(recommend.structured_input_signature[1])
        if inputs != _INPUTS:
            raise UserError(
                f"The SavedModel in {directory} has no signature {_SIGNATURE} of this version of "
                "tf_iclrec: export the model again."
            )
        # Versions before 0.6.8 don't tell.
        self.filter_seen = bool(getattr(self._loaded, "filter_seen_by_default", True))

    def recommend_table(
        self,
        table: pa.Table,
        k: int = 20,
        filter_seen: bool | None = None,
        only: ItemValues | None = None,
        without: ItemValues | None = None,
        because: int = 0,
        diversity: float = 0.0,
        diversify: str = DEFAULT_RERANKER,
    ) -> pa.Table:
        """The best items of each user of a table.

        Args:
            table: Columns ``user_id`` (strings), ``history`` (lists of raw item ids, oldest first)
                and optionally ``exclude`` (lists of ids that are not returned).
            k: Items per user.
            filter_seen: Whether items of a user's own history are left out. Defaults to what the
                model was exported with.
            only: Values that items must have, as in `tf_iclrec.recommend`.
            without: Values that items must not have, likewise.
            because: Reasons for each item, as in `tf_iclrec.recommend`.
            diversity: As in `tf_iclrec.recommend`.
            diversify: Likewise.

        Returns:
            A table as `tf_iclrec.recommend` gives it, users in the same order.

        Raises:
            UserError: If the table is not such a one, or the model refuses the request.
        """
        return self.recommend(
            UserTable.of(table), k, filter_seen, only, without, because, diversity, diversify
        )

    def recommend(
        self,
        users: UserTable,
        k: int,
        filter_seen: bool | None,
        only: ItemValues | None = None,
        without: ItemValues | None = None,
        because: int = 0,
        diversity: float = 0.0,
        diversify: str = DEFAULT_RERANKER,
    ) -> pa.Table:
        """As `recommend_table`."""
        import pyarrow as pa

        check_because(because)
        check_diversity(diversity, diversify)
        # The model says what it takes, but a request holds no larger number.
        if not (is_whole(k) and 0 <= k <= tf.int32.max):
            raise UserError(f"k must be from 1 to what the model was exported with, not {k}.")
        seen = self.filter_seen if filter_seen is None else bool(filter_seen)
        request = {"k": tf.constant(k, tf.int32), "filter_seen": tf.constant(seen)}
        signature = _SIGNATURE
        if diversity:
            signature = "recommend_diverse"
            request["diversity"] = tf.constant(diversity, tf.float32)
            request["diversify"] = tf.constant(diversify)
        filters = {"only": as_cells(only), "without": as_cells(without)}
        # Of no user, so that nothing of such a width is made before the model has taken k.
        items, scores = [np.empty((0, k), object)], [np.empty((0, k), np.float32)]
        from_popularity = [np.empty(0, bool)]
        batches = list(users.histories.batches_by_length(_USERS))
        for rows in batches:
            exclude_rows = rows if len(users.exclude.starts) > 1 else np.zeros_like(rows)
            lists = {
                "history": _cells(users.histories.rows(rows)),
                "exclude": _cells(users.exclude.rows(exclude_rows)),
                **{
                    name: tf.constant([cells] * len(rows), tf.string)
                    for name, cells in filters.items()
                },
            }
            answer = self._ask(signature, **lists, **request)
            items.append(answer["item_ids"].numpy())
            scores.append(answer["scores"].numpy())
            from_popularity.append(answer["from_popularity"].numpy())
        places = np.argsort(np.concatenate([np.empty(0, np.int64), *batches]))
        items, scores, from_popularity = (
            np.concatenate(parts)[places] for parts in (items, scores, from_popularity)
        )
        found = pa.array(items[np.isfinite(scores)], pa.binary()).cast(pa.string())
        reasons = self._reasons(users.histories, items, because) if because else None
        return recommendation_table(users.user_ids, found, scores, from_popularity, reasons)

    def _reasons(self, histories: Histories, items: np.ndarray, most: int) -> FoundReasons:
        """For items ``(users, k)``, "" = none."""
        import pyarrow as pa

        # There are no more reasons than items of a history.
        shape = (*items.shape, min(most, int(histories.lengths.max(initial=0))))
        found = {
            "reasons": np.full(shape, b"", dtype=object),
            "drops": np.zeros(shape, dtype=np.float32),
            "intents": np.full(shape, NO_INTENT, dtype=np.int32),
            "providers": np.full(shape, b"", dtype=object),
        }
        for rows in histories.batches_by_length(_EXPLAINED):
            answer = self._ask(
                "explain",
                history=_cells(histories.rows(rows)),
                item_ids=tf.constant(items[rows]),
                because=tf.constant(most, tf.int32),
            )
            for name, values in found.items():
                values[rows] = answer[name].numpy()[..., : shape[2]]
        is_reason = found["drops"] > 0
        providers = found["providers"][is_reason]
        return FoundReasons(
            pa.array(found["reasons"][is_reason], pa.binary()),
            found["drops"],
            found["intents"],
            pa.array(providers, pa.binary(), mask=providers == b""),
        )

    def _ask(self, signature: str, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        try:
            return self._loaded.signatures[signature](**inputs)
        except KeyError:
            raise UserError(
                f"The SavedModel has no signature {signature}: its model can't, or export it again."
            ) from None
        except tf.errors.InvalidArgumentError as error:
            said = re.search(r"assertion failed: \[(.*)\]", error.message)
            said = said.group(1).replace("] [", " ") if said else error.message.splitlines()[0]
            raise UserError(f"The model refuses: {said}.") from error


def is_saved_model(directory: str | Path) -> bool:
    """Whether a folder holds a SavedModel."""
    return (Path(directory) / "saved_model.pb").is_file()


def recommend_batches(
    directory: str, batches: Iterable[pa.RecordBatch], **request
) -> Iterator[pa.RecordBatch]:
    """Recommend to record batches, one at a time: what a worker of Spark's ``mapInArrow`` does.

    The model is loaded once in the life of a process, when the first batch is there.

    Args:
        directory: See `SavedModelRecommender`; each worker must see it.
        batches: Users as in `SavedModelRecommender.recommend_table`.
        request: What else that takes.

    Example: a table of users in Spark, and a worker that was given no user.
    >>> import functools
    >>> of_worker = functools.partial(recommend_batches, "savedmodels/shop/1", k=10)
    >>> schema = "user_id string, item_id string, score float, rank int, from_popularity boolean"
    >>> found = users.mapInArrow(of_worker, schema)  # doctest: +SKIP
    >>> list(of_worker([]))
    []
    """
    import pyarrow as pa

    for batch in batches:
        users = pa.Table.from_batches([batch])
        yield from _loaded_once(directory).recommend_table(users, **request).to_batches()


@functools.cache
def _loaded_once(directory: str) -> SavedModelRecommender:
    return SavedModelRecommender(directory)


def _cells(lists: Histories) -> tf.Tensor:
    """Lists of raw ids as a request holds them, ``(batch, width)`` padded with ""."""
    joined = lists.joined()
    flat = tf.constant(joined.item_ids, tf.string)
    return tf.RaggedTensor.from_row_lengths(flat, joined.lengths).to_tensor("")
