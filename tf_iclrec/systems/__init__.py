"""Systems by name: each a file with what is its own and the settings it was published with."""
