"""What distinguishes two computations, in one picture: `viz.diff(before, after)`."""
