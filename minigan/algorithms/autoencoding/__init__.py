"""Autoencoders: an encoder E beside a decoder G, with and without adversaries."""
