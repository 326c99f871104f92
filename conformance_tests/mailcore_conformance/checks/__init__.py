"""The checks, one module a section; importing one adds its checks to the catalogue."""
