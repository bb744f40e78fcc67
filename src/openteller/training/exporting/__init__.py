"""Writing a trained encoder for others to run: ONNX and Hugging Face layout, proved equal to what was trained."""
