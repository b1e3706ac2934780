"""What the host says, what it means, and what it is answered."""
