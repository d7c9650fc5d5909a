"""NumPy's protocols: `np.exp(tensor)`, `np.sum(tensor)`, `array * tensor`, DLPack, the buffer protocol.

`hooks` puts them on Tensor, `dispatch` finds what stands for a function of NumPy.  The other files hold that, by
subject: same name, same signature, NumPy's semantics (axis=None, ddof=0), written with ops; they are imported when the
first is asked for.
"""

from .hooks import from_dlpack as from_dlpack
