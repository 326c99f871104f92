"""What carries requests: the only files here that open a socket."""
