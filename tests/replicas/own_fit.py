"""A `fit` of one's own over two devices: ``own_fit.py LOG``.

Prints how many users the E-step saw, how many there are, and whether the vectors moved.
"""

import sys

import numpy as np
import tensorflow as tf


def main(log: str) -> None:
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    import tf_iclrec

    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(log))
    with tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"]).scope():
        config = tf_iclrec.make_config("iclrec", num_blocks=1, hidden_dim=8, num_intents=3)
        model = tf_iclrec.build_model(config, split.catalogue)
        model.compile("adam")
    # Three batches, which two devices can't share evenly.
    sequences = tf_iclrec.sequence_batches(split, 80, model=model)
    assert int(sequences.cardinality()) == 3
    clustering = tf_iclrec.IntentClustering(sequences, verbose=False)
    before = model.encoder.item_vectors().numpy()
    batches = tf_iclrec.training_batches(split, 64, model=model)
    model.fit(batches, callbacks=[clustering], verbose=0, shuffle=False)
    [report] = clustering.reports
    moved = np.abs(model.encoder.item_vectors().numpy() - before).max() > 0
    print(int(report.sizes.sum()), split.num_trained, bool(moved))


if __name__ == "__main__":
    main(*sys.argv[1:])
