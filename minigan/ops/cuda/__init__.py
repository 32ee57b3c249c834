"""The operations of minigan/ops on arrays of a CUDA card: each allocates and launches kernels.

One module for each of minigan/ops, with functions of the same names and signatures; see
minigan/ops/dispatch.py. No module computes on the host with what is on the device.
"""
