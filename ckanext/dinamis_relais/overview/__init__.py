"""What goes on: what waits for PIGMA now, what is owed to DINAMIS, what happened, who holds which role."""
