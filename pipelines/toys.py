"""ICLRec on Amazon's Toys and Games: from the sequences to test figures and an exported model.

    python pipelines/toys.py Toys_and_Games.txt [--items Toys_and_Games.tsv]

Some 8 minutes on 2 cores; test NDCG@20 0.0791, HR@5 0.0823 (mean of three seeds).
With brands and categories 0.0834 and 0.0883 (seed 0), 12 minutes.
"""

from recipe import SIX_ENCODERS, run

if __name__ == "__main__":
    run("toys", epochs=10, with_items=SIX_ENCODERS)
