"""Plays recordings to the guard and the arbiter before anybody trusts them."""
