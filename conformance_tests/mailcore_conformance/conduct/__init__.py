"""How an adapter behaves beside its work: what it imports, keeps, calls and shows."""
