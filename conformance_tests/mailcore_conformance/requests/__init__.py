"""What a request says, and what it must say."""
