"""Events between processes: the bus, calls to a device's worker, and the live frames made of events."""
