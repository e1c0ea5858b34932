"""From files and tables to chronological id sequences and tf.data batches."""
