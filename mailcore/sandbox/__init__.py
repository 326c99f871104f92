"""A provider on this machine: an adapter's emulator, served over real HTTP."""
