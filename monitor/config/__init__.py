"""Options, environment and settings file into one typed Settings."""
