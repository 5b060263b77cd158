"""Who writes to whom: people and rows without a device are given to devices, each with its reason."""
