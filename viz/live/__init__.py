"""The live view of training: `viz.watch(model)`."""
