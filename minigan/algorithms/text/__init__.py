"""Text to image: pictures of what a caption says."""
