"""Parts of one's own that can't be trained or loaded: said before anything else happens."""

from collections.abc import Iterable, Sequence

import keras

from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.errors import UserError
from tf_iclrec.objectives.contrast import Contrast
from tf_iclrec.objectives.objective import Objective
from tf_iclrec.objectives.registry import CONTRASTS, NEXT_ITEM_LOSSES
from tf_iclrec.systems.system import CHOICE, Section


def check_kinds() -> None:
    """Make sure that what is registered can be asked for its settings and made.

    Raises:
        UserError: If it is no class, or another one than a registry is for; or if a contrast has no
            name or title, or the options of another one.
    """
    for registry, parts, kind in (
        ("ENCODERS", ENCODERS, Encoder),
        ("NEXT_ITEM_LOSSES", NEXT_ITEM_LOSSES, Objective),
        ("CONTRASTS", CONTRASTS, Contrast),
    ):
        for name, part in parts.items():
            if not (isinstance(part, type) and issubclass(part, kind)):
                raise UserError(
                    f"tf_iclrec.{registry}[{name!r}] is {part!r}, and must be a class: a subclass "
                    f"of tf_iclrec.{kind.__name__}."
                )
    owners: dict[str, str] = {}
    for name, contrast in CONTRASTS.items():
        for needed in ("name", "title"):
            if not getattr(contrast, needed, ""):
                raise UserError(
                    f"tf_iclrec.CONTRASTS[{name!r}], {contrast.__name__}, has no {needed}: give "
                    f"the class one, {needed} = ..., for logs and help."
                )
        if owners.setdefault(contrast.prefix, name) != name:
            raise UserError(
                f"tf_iclrec.CONTRASTS[{name!r}] has the prefix {contrast.prefix!r} of "
                f"{owners[contrast.prefix]!r}, so that each weight would turn on both: give "
                f"{contrast.__name__} a prefix of its own."
            )


def check_options(sections: Sequence[Section]) -> None:
    """Make sure that a value is the setting of one part.

    Args:
        sections: All of a family.

    Raises:
        UserError: If parts of two sections have the same option, which neither asks for, or if a
            setting has the name of the choice of its part.
    """
    owners: dict[str, Section] = {}
    for section in sections:
        for (option, name), declared in section.all_settings().items():
            if section.alternatives and name == CHOICE:
                raise UserError(
                    f"A setting of {section.title!r} can't be called {name!r}: in config.json that "
                    "is what is chosen."
                )
            owner = owners.setdefault(option, section)
            if owner is not section and declared.setting.option is None:
                raise UserError(
                    f"The option {option!r} would set something of {owner.title!r} and of "
                    f"{section.title!r} alike: give your own another name, or an option of its "
                    "own, Setting(..., option='my_...')."
                )


def check_can_be_loaded(part: keras.layers.Layer | Objective, settings: Iterable[str]) -> None:
    """Or its run would be read as another model, or not at all, after the training.

    Raises:
        UserError: If its class is not registered, or its ``get_config()`` leaves a setting out.
    """
    name = type(part).__name__
    if ">" not in keras.saving.get_registered_name(type(part)):
        raise UserError(
            f"{name} is not registered with Keras, so that its run could not be loaded: put "
            "@keras.saving.register_keras_serializable('mine') before the class."
        )
    kept = part.get_config()
    missing = [setting for setting in settings if setting not in kept]
    if missing:
        raise UserError(
            f"{name}.get_config() leaves out {', '.join(missing)}, so that its run would be loaded "
            "as another model: return super().get_config() with them."
        )
