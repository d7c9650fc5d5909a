"""How fast, how small, how soon: glassgrad beside PyTorch, micrograd and NumPy.  `python -m benchmarks [names]`."""
