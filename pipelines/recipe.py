"""What the pipelines share: from a sequence file to test figures and an exported model."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_iclrec import fit, make_config
from tf_iclrec.commands import Parser, run_command
from tf_iclrec.files import replace_directory
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.serving.versions import new_version

# What does best with brands and categories on the smaller of the data sets.
SIX_ENCODERS = {"num_members": 6, "hidden_dim": 128, "spectral_members": 3, "epochs": 10}


def run(name: str, with_items: Mapping[str, Any] | None = None, **settings: Any) -> None:
    """Train with the recipe, which is the library's default, and export.

    Args:
        name: Of the run's folder and of the served model.
        with_items: Where the joint model wants still other settings.
        **settings: Where the data set wants other settings; see `tf_iclrec.make_config`.
    """

    def main() -> None:
        parser = Parser(prog=f"python pipelines/{name}.py")
        parser.add_argument("sequences", metavar="SEQUENCES", help="the data set's sequence file")
        parser.add_argument(
            "--items",
            default="",
            help="table of items, providers and categories; trains the joint model",
        )
        parser.add_argument("--output", default=f"runs/{name}", help="run directory to write")
        parser.add_argument("--overwrite", action="store_true", help="replace a run in --output")
        parser.add_argument("--resume", action="store_true", help="go on with a run in --output")
        parser.add_argument("--seed", type=int, default=0)
        values = parser.parse(None)
        chosen = {"model": "iclrec", "num_intents": (256,)} | settings
        if values.items:
            chosen |= {"model": "iclrec_provider_sum", "item_attributes": "categories"}
            chosen |= with_items or {}
        config = make_config(data=values.sequences, items=values.items, seed=values.seed, **chosen)
        if fit(config, values.output, values.resume, values.overwrite) is None:
            return  # Another process of the training has the run.
        exported = RunDirectory(Path(values.output)).saved_models / "1"
        with new_version(Path("savedmodels") / name) as version, replace_directory(version) as path:
            shutil.copytree(exported, path)
        print(f"SavedModel: {version}")

    run_command(main, "A training goes on after its last complete epoch with --resume.")
