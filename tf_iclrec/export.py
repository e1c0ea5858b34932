"""Export a run for TF Serving: ``python -m tf_iclrec.export RUN --output savedmodels/NAME``."""

from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.commands import Parser, add_import, add_new_items, run_command
from tf_iclrec.errors import UserError
from tf_iclrec.runs import load_run
from tf_iclrec.serving.nearest_neighbours import export_nearest_neighbours
from tf_iclrec.serving.saved_model import export_saved_model
from tf_iclrec.serving.versions import new_version


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and export."""
    parser = Parser(
        prog="python -m tf_iclrec.export",
        description="Write a run's model as the next version of a model for TF Serving.",
    )
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument(
        "--output", metavar="DIR", help="the model's folder (default: savedmodels/NAME-OF-RUN)"
    )
    parser.add_argument(
        "--k",
        type=int,
        help="items in answers to requests that don't say (default: as the run was trained with)",
    )
    parser.add_argument(
        "--max-k",
        type=int,
        help="the most that a request may ask for (default: as the run was trained with)",
    )
    parser.add_argument(
        "--ann",
        metavar="DIR",
        help="also write item vectors and Faiss indexes to this folder, for approximate search",
    )
    add_new_items(parser)
    add_import(parser)
    values = parser.parse(arguments)
    run = load_run(values.run, for_serving=True)
    asked = {"k": values.k, "max_k": values.max_k}
    serving = {**run.config.serving, **{n: one for n, one in asked.items() if one is not None}}
    if not 1 <= serving["k"] <= serving["max_k"]:
        raise UserError(f"--k must be from 1 to --max-k ({serving['max_k']}), not {serving['k']}.")
    folder = Path(values.output or Path("savedmodels") / Path(values.run).resolve().name)
    if folder.is_file():
        raise UserError(f"{folder} is a file; the output must be a folder.")
    if values.ann and Path(values.ann).exists():
        raise UserError(f"{values.ann} exists. Remove it, or choose another folder for --ann.")
    if values.new_items:
        run = run.with_new_items(values.new_items)
    with new_version(folder) as version:
        # First, as it may be refused: a version is served at once.
        if values.ann:
            print(export_nearest_neighbours(run.model, run.split, values.ann))
        export_saved_model(
            run.model, run.split, version, filter_seen=run.config.evaluation.filter_seen, **serving
        )
        print(f"SavedModel: {version}")


if __name__ == "__main__":
    run_command(main, "No version was written.")
