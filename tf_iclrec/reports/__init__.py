"""Pages that say what is in data: one HTML file each, without scripts or anything from the net."""
