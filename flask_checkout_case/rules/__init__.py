"""Pure decisions: no Flask, no SQLAlchemy, and the clock is an argument."""
