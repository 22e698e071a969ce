"""The ccusage tool: find it, install it, run it, read its reports."""
