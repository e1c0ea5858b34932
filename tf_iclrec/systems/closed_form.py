"""Yardsticks that are computed from the histories in one go, without training."""

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.splits.split import Split
from tf_iclrec.models.closed_form import ClosedFormRecommender
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.transitions import TransitionRecommender
from tf_iclrec.systems.sections import AFTER, BEFORE
from tf_iclrec.systems.system import Family, Section, System

_KEY = "votes"


def closed_form(kind: type[ClosedFormRecommender]) -> Family:
    """The family of a model that has nothing but its own settings."""

    def build(config, catalogue: Catalogue) -> ClosedFormRecommender:
        return kind.for_catalogue(catalogue, **config[_KEY])

    def train(
        model: ClosedFormRecommender, split: Split, config, directory, epochs=None, callbacks=()
    ) -> None:
        model.fit_histories(split.train)

    sections = (*BEFORE, Section(_KEY, "Votes of the items", (kind,)), *AFTER)
    return Family(
        make_sections=lambda: sections,
        reads=lambda system: kind.reads,
        build=build,
        check=lambda model, split, config: None,
        train=train,
    )


TRANSITIONS = System(
    "transitions",
    "counts of what followed the last items",
    "Kamehkhosh et al., RecTemp 2017",
    closed_form(TransitionRecommender),
)
EASE = System(
    "ease",
    "what a user has as a linear function of what else the user has, in closed form",
    "Steck, WWW 2019",
    closed_form(EaseRecommender),
)
