"""Learning in tests: one thread, so that tests beside each other do not wait for each other's threads."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
