"""Pure functions from a Usage and a size to lines of text."""
