"""Learning how messages sound, from texts of our own, from the shop's scores and from the owner's corrections."""
