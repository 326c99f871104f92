def is_inbound(document): return False
