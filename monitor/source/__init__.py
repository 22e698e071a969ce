"""All that touches ccusage and Claude's files."""
