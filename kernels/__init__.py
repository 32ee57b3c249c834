"""The CUDA sources, installed as minigan.kernels; minigan/cuda/sources.py reads them."""
