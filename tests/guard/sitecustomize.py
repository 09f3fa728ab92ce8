"""The same guard for programs that tests start: Python imports this module from `PYTHONPATH` by itself."""

import loopback

loopback.install()
