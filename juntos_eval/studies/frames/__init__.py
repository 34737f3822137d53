"""From clean survey tables to the frames that the cited designs are fitted on."""
