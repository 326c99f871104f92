"""What operators see of sends and deliveries: plugins that log, trace and count.

Rule 1: each is switched on by `install`, in one line. Nothing is loaded, and nothing is called, until then.
Rule 2: no address, subject, body, token or text of an error is ever in what they say.
"""
