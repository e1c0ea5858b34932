"""Items that came after the training: added to a model through what is known of them."""

import dataclasses
from pathlib import Path

from tf_iclrec.data.new_items import MeansOfKindred, NewItems, larger_log, read_new_items
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.models.recommender import Recommender


def with_new_items(
    model: Recommender,
    split: Split,
    new_items: str | Path | NewItems,
    item_column: str = "",
    provider_column: str = "",
    title_column: str = "",
) -> tuple[Recommender, Split]:
    """A model and its data with a larger catalogue, without training again.

    A new item stands where the known items with its provider and the values of its attributes
    stand in the mean; encoders with vectors of providers and attributes add its own ones, as for
    any item, and cosines are scaled as `LargerRecommender` says. Items that the model knows are
    left as they are. An item none of whose values any known item has can't be placed: it is left
    out, and a line says so.

    Args:
        model: The recommender.
        split: What it was trained on.
        new_items: A table with a row per item, or raw values by name, by raw item id; see
            `tf_iclrec.data.new_items.read_new_items`.
        item_column: The table's column with the item id.
        provider_column: The table's column with the provider.
        title_column: The table's column with titles.

    Returns:
        The model and the data that export and recommendation take in the place of the old ones.

    Raises:
        UserError: If the items can't be read or none of them can be placed, or the model has no
            vectors of items.

    Example:
    >>> from tf_iclrec import Interactions, build_model, leave_one_out, make_config
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam", "oil"]})
    >>> split = leave_one_out(log.with_item_providers({"tea": "acme", "jam": "best"}))
    >>> model = build_model(make_config(model="sasrec"), split.catalogue)
    >>> model, split = with_new_items(model, split, {"rye": {"provider": "best"}})
    >>> split.interactions.items.ids.tolist(), model.item_vectors().shape[0]
    (['jam', 'oil', 'tea', 'rye'], 4)
    """
    log = split.interactions
    columns = item_column, provider_column, title_column
    given = read_new_items(new_items, split.catalogue, *columns)
    larger = larger_log(log, given)
    means = MeansOfKindred(larger.catalogue, log.num_items)
    strangers = larger.items.ids[log.num_items :][~means.found].tolist()
    if strangers:
        _say_left_out(strangers, len(means.found))
        placed = given.keys() - set(strangers)
        larger = larger_log(log, {item: given[item] for item in given if item in placed})
        means = MeansOfKindred(larger.catalogue, log.num_items)
    if larger.num_items == log.num_items:
        return model, split
    split = dataclasses.replace(split, interactions=larger)
    return model.with_new_items(split.catalogue, means), split


def _say_left_out(strangers: list[str], num_new: int) -> None:
    why = f"no item of the data has the provider of {strangers[0]!r} or another of its values"
    if len(strangers) == num_new:
        raise UserError(f"None of the {num_new} new items can be added: {why}.")
    print(f"{len(strangers)} of {num_new} new items are left out, for {why}.", flush=True)
