"""Turn published ICLRec weights into a run: ``python -m tf_iclrec.convert WEIGHTS.npz``."""

import argparse
import zipfile
from collections.abc import Sequence

import keras
import numpy as np

from tf_iclrec.commands import Parser, run_command
from tf_iclrec.config import make_config
from tf_iclrec.data.reading import load_interactions
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.errors import UserError
from tf_iclrec.files import locked, replace_directory
from tf_iclrec.fit import build_model, finish_run, write_page
from tf_iclrec.models.published_weights import (
    load_published_weights,
    published_settings,
    published_vocabulary,
)
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import Run, start_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and convert."""
    parser = Parser(
        prog="python -m tf_iclrec.convert",
        description=(
            "Turn a checkpoint of the ICLRec authors' program into a run directory. Save its "
            "state_dict as NumPy arrays first: numpy.savez('weights.npz', **{name: "
            "tensor.numpy() for name, tensor in torch.load('model.pt').items()})."
        ),
    )
    parser.add_argument("weights", metavar="WEIGHTS.npz", help="arrays by parameter name")
    parser.add_argument(
        "--data", required=True, metavar="SEQUENCES", help="sequence file it was trained on"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="run directory to write")
    parser.add_argument("--num-heads", type=int, default=2, help="attention heads (default: 2)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a run that is in --output"
    )
    values = parser.parse(arguments)
    output = RunDirectory.at(values.output)
    with locked(output.path):
        output.check_free(values.overwrite)
        # As a whole: there is no training to go on with.
        with replace_directory(output.path) as path:
            run = _converted(values, RunDirectory(path))
    write_page(run, output)


def _converted(values: argparse.Namespace, directory: RunDirectory) -> Run:
    weights = _read_weights(values.weights)
    settings = published_settings(weights, values.num_heads)
    config = make_config(data=values.data, **settings)
    log = leave_one_out(load_interactions(values.data)).interactions
    split = leave_one_out(log.with_vocabulary(published_vocabulary(weights)))
    model = build_model(config, split.catalogue)
    load_published_weights(model, weights)
    model.compile(keras.optimizers.Adam(config.training.learning_rate))
    model.build_optimizer()
    start_run(directory, config, split.interactions)
    return finish_run(model, split, config, directory)


def _read_weights(path: str) -> dict[str, np.ndarray]:
    try:
        with np.load(path) as arrays:
            return dict(arrays)
    except FileNotFoundError as error:
        raise UserError(f"No such file: {path}.") from error
    except (ValueError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not a NumPy .npz file.") from error


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
