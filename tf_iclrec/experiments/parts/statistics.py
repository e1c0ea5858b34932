"""How large the data sets are."""

from __future__ import annotations

from tf_iclrec.config import make_config
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.experiments.results import Results


def statistics(results: Results) -> list[Part]:
    """A row for each data set, and below it what the paper says, in `Experiment.paper` under the
    data set's name, the label ``"data"`` and the names of the columns."""
    rows, paper = [], results.experiment.paper
    for dataset in results.datasets:
        config = make_config(**dataset.options(results.data, with_items=True))
        found = sizes(read_log(**config.data).log)
        rows.append((dataset.name, *found.values()))
        printed = [paper.get((dataset.name, "data", name), "") for name in found]
        if any(printed):
            rows.append(
                (f"{dataset.name}, the paper", *(int(one) if one else "" for one in printed))
            )
    header = ("", "users", "items", "interactions", "providers", "with provider")
    return [Part("Data sets", [Table("Sizes", header, rows)])]


def sizes(log: Interactions) -> dict[str, int]:
    """What there is in a log, and of how many interactions the provider is known."""
    providers = log.providers
    return {
        "users": log.num_users,
        "items": log.num_items,
        "interactions": log.num_actions,
        "providers": len(providers.vocabulary) if providers else 0,
        "with provider": int((log.provider_ids != UNKNOWN_ID).sum()) if providers else 0,
    }
