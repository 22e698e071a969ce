"""Claude Code's transcripts: find them, notice changes, link those that matter."""
