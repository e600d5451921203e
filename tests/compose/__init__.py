"""The compose folder: that its files are whole, and that the real programs start with them."""
