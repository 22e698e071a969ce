"""Claude Code itself: what it hands its status line, and its settings.json."""
