"""The live screen: the dashboard, its chart and its other pages."""
