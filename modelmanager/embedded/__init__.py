"""What `make run` does: a real Triton, the web server and the worker on one machine, supervised."""
