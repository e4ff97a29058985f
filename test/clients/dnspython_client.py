"""Prints the addresses that dnspython gives for a name, one a line, or what it says instead."""

import sys

import dns.resolver

failures = []
for kind in ("A", "AAAA"):
    try:
        for record in dns.resolver.resolve(sys.argv[1], kind, search=True):
            print(record.address)
    except dns.exception.DNSException as error:
        failures.append(type(error).__name__)
if len(failures) == 2:
    print("error:", failures[0])
