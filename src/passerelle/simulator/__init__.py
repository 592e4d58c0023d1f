"""An outsider: a simulated operator and its handsets; it speaks SMPP and HTTP and knows nothing of us."""
