"""Young Lives Peru (Niños del Milenio): from the files of the UK Data Service to clean tables."""
