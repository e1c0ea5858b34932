"""The sections of a page about runs, each a function of the runs that are shown."""
