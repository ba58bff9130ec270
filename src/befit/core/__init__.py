"""The vocabulary of the cycle: plain values and protocols, standard library only."""
