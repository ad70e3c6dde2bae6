"""What several test modules use: real servers, a small shop, ways to wait."""
