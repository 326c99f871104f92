"""What the provider's answers mean, and what an adapter makes of broken ones."""
