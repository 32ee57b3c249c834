"""Stateless mathematics on arrays: each operation beside its derivatives.

Arrays are channels last. No function writes into an argument; every function runs in the dtype of
its input.
"""
