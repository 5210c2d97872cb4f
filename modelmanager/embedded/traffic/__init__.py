"""Traffic for the demo set: several systems that lease models, call them and report what they did."""
