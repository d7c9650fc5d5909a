"""Derivatives number by number: the chain rule written out, and tensor operations opened into scalars."""
