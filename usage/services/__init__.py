"""What can be done with clients, bindings and leases; one file per subject."""
