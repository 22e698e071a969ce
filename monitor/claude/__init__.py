"""Claude Code itself: its status line and its settings.json."""
