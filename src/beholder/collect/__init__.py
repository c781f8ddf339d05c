"""Collecting a study on the web: its definition, its store and its server."""
