"""SMPP 3.4: a sans-I/O codec and session; only `link` touches a socket."""
