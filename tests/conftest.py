import signal

import torch

torch.set_num_threads(1)  # tests run side by side; two threads each would wait for each other

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun by a shell with & behind it
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no child would hear of Ctrl-C
