"""Where things are kept between requests: the only files here that write to disk."""
