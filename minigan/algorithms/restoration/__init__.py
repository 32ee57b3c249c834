"""Pictures restored: enlarged, filled, sharpened; what they lost is made of any pictures."""
