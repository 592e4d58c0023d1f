"""One GET with requests. Arguments: base URL, path, query, then headers."""

import sys

import requests

base, path, query, *given = sys.argv[1:]
answer = requests.get(f"{base}{path}?{query}", headers=dict(line.split(": ", 1) for line in given), timeout=10)
sys.stdout.buffer.write(answer.content)
