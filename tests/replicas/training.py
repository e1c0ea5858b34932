"""One process of a training, without what comes after it: ``training.py SETTINGS OUTPUT DEVICES``.

Leaves in ``OUTPUT`` the history and, as ``weights_N.npz``, the weights of every replica.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(settings: str, output: str, devices: str) -> None:
    if int(devices) > 1:
        [cpu] = tf.config.list_physical_devices("CPU")
        several = [tf.config.LogicalDeviceConfiguration()] * int(devices)
        tf.config.set_logical_device_configuration(cpu, several)
    from tf_iclrec import fit, make_config
    from tf_iclrec.training.replicas import Replicas

    def kept(replicas: Replicas, model):
        for number in range(replicas.share.local):
            local = [
                replicas.strategy.experimental_local_results(weight.value)[number].numpy()
                for weight in model.weights
            ]
            np.savez(Path(output) / f"weights_{replicas.share.first + number}.npz", *local)
        return model

    Replicas.alone = kept
    # The package's attribute of this name is the function.
    module = importlib.import_module("tf_iclrec.fit")
    module.finish_run = module.write_page = lambda *arguments, **named: None
    fit(make_config(**json.loads(settings)), output)


if __name__ == "__main__":
    from tf_iclrec.commands import run_command

    run_command(lambda: main(*sys.argv[1:]), "Interrupted.")
