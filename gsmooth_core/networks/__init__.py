"""How networks are run: LiteRT, ONNX Runtime or torch; arrays in, arrays out."""
