"""Starts the Python runtime of Croft with debugpy in it: `debug.py <debugpy's folder> <port> <wait> bootstrap.py <its arguments>`."""

import runpy
import sys

folder, port, wait, bootstrap = sys.argv[1:5]
# Behind everything of the function's, whose modules win.
sys.path.append(folder)
import debugpy  # noqa: E402

debugpy.configure(subProcess=False)
# In this process: an adapter of its own would outlive it, and need a port of its own.
debugpy.listen(("127.0.0.1", int(port)), in_process_debug_adapter=True)
if wait == "wait":
    debugpy.wait_for_client()
sys.argv = sys.argv[4:]
runpy.run_path(bootstrap, run_name="__main__")
