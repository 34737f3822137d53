"""What the cited studies published: one validated YAML file a study, and how each number was seen."""
