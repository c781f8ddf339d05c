"""Measurements behind the figures of the README; each module is one command."""
