"""Which plugins there are, what they offer, how they are; and the one door to call them."""
