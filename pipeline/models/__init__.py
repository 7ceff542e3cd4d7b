"""Models behind one-method Protocols: one adapter file per library."""
