"""Tables and statements. Nothing here commits; nothing here decides."""
