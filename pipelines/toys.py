"""ICLRec on Amazon's Toys and Games, as of the data set's sequence file.

python pipelines/toys.py Toys_and_Games.txt [--items Toys_and_Games.tsv]
"""

from recipe import run

if __name__ == "__main__":
    run("toys", epochs=12)
