"""Charts as SVG, with their figures in a table below."""
