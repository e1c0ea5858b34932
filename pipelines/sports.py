"""ICLRec on Amazon's Sports and Outdoors: from the sequences to test figures and an exported model.

    python pipelines/sports.py Sports_and_Outdoors.txt [--items Sports_and_Outdoors.tsv]

The settings that did best on Beauty; not measured yet.
"""

from recipe import run

if __name__ == "__main__":
    run("sports", epochs=8)
