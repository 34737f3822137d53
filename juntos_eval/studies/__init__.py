"""Studies: samples and specifications, one file a study that can be run again."""
