"""Recipes: read as data, checked against the signatures of what they name, and built."""
