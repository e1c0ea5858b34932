"""Pages about logs, runs, intents and vectors: one HTML file each, without scripts or anything from
the net."""
