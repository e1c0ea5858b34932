"""ICLRec on Amazon's Beauty: from the sequences to test figures and an exported model.

    python pipelines/beauty.py Beauty.txt [--items Beauty.tsv]

Some 8 minutes on 2 cores; test NDCG@20 0.0734, HR@5 0.0739 (mean of three seeds).
With brands and categories 0.0780 and 0.0789 (seed 0), 16 minutes.
"""

from recipe import SIX_ENCODERS, run

if __name__ == "__main__":
    run("beauty", epochs=10, with_items=SIX_ENCODERS)
