"""Large arrays from the heap: the system's allocator is told, once, that they come and go."""

import numpy as np

# glibc maps each array above a threshold on its own and hands it back when it is freed: every new result is then filled
# page by page by the kernel, which takes longer than most ops do.  The threshold rises to the size of the largest such
# array that was ever freed, up to 32 MiB.  This one is never touched, so it costs nothing; elsewhere nothing changes.
np.empty(31 << 20, np.uint8)
