"""The wrapped tool: find it, run it, read its reports."""
