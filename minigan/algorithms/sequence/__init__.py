"""Sequences: examples that are made one after another, or along time."""
