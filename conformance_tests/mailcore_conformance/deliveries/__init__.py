"""What a delivery says: events and mail, their samples and what is made of those."""
