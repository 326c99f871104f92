"""The format of mail on the wire (RFC 5322, 2045 to 2047, 2231): reading it and writing it."""
