"""Pictures from pictures: aligned pairs, and two domains without pairs."""
