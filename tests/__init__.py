"""The project's tests; they mirror the layout of monitor/."""
