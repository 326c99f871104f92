"""What carries requests: the only files that connect to a provider.

What else opens a socket listens, and is here for tests and demonstrations: `mailcore.sandbox`.
"""
