"""One module a cited study that can be run; its ``STUDY`` is what the registry lists."""
