"""One GET with the standard library, which raises on 4xx. Arguments: base URL, path, query, then headers."""

import sys
from urllib import error, request

base, path, query, *given = sys.argv[1:]
asked = request.Request(f"{base}{path}?{query}", headers=dict(line.split(": ", 1) for line in given))
try:
    with request.urlopen(asked, timeout=10) as answer:
        sys.stdout.buffer.write(answer.read())
except error.HTTPError as refused:
    sys.stdout.buffer.write(refused.read())
