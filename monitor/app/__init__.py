"""What runs: the poll, the live screen, one-shot output; joins all the rest."""
