"""Numbers: arrays in, frozen values out. No frames, no columns, no files."""
