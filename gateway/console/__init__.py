"""The owner's console at /owner: pages made on the server, with a little script of our own for what is live."""
