"""Prints the addresses that glibc's getaddrinfo gives for a name, one a line, or what it says instead."""

import socket
import sys

try:
    for _, _, _, _, address in socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM):
        print(address[0])
except socket.gaierror as error:
    print("error:", error.strerror)
