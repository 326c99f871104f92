"""Mail from the outside, read whatever it holds."""
