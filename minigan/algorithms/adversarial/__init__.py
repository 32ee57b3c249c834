"""Two-player games: Algorithm 1 on different networks and objectives."""
