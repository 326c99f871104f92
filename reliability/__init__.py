"""
Shows what mailcore promises about sending, against servers that misbehave; no part of any distribution.

Rule: a server here is a real one, on a socket of this machine, and the client is the one that is shipped.
"""
