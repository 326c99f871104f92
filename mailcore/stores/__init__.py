"""Where things are kept between requests: the only files of the library that write to disk."""
