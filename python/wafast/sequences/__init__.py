"""Sequences: messages one after another to each lead, each some time after the one before."""
