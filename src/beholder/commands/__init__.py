"""The commands, one file a subject; each parses, calls and prints."""
