"""What the README's figures come from: one command each, run from the top of the repository."""
