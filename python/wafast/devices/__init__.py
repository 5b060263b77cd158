"""Devices: linked WhatsApp lines, who holds them, and how they are paired, connected and kept alive."""
