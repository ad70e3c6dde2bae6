"""What happens to a case. The only layer that commits; our own signals go out after the commit."""
