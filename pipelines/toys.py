"""ICLRec on Amazon's Toys and Games: from the sequences to test figures and an exported model.

    python pipelines/toys.py Toys_and_Games.txt [--items Toys_and_Games.tsv]

The settings that did best on Beauty; not measured yet.
"""

from recipe import run

if __name__ == "__main__":
    run("toys", epochs=10)
