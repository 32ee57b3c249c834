"""Ways out of minigan, and back: ONNX files, and state dicts in PyTorch's layouts."""
