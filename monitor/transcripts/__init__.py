"""Claude Code's transcript files: where they are, what changed, the window of links."""
