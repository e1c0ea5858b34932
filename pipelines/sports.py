"""ICLRec on Amazon's Sports and Outdoors: from the sequences to test figures and an exported model.

    python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]

Test NDCG@20 0.0440, HR@5 0.0445 (seed 0, with longer start vectors than today's);
42 minutes with one thread, not timed on 2 cores.
"""

from recipe import run

if __name__ == "__main__":
    run("sports", epochs=8)
