"""What can be done with the registry; one file per subject."""
