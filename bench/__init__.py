"""Figures of Isthmus on this machine: `python -m bench` measures, prints and saves them."""
