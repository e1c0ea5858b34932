"""From raw logs to sequences: what a source is, what is done to its rows, and two engines that do
it."""
