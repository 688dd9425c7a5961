"""Graphs for ONNX Runtime, written from the modules of torch."""
