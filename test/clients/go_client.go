// Prints the addresses that Go's own resolver gives for a name, one a line, or what it says instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

func main() {
	resolver := net.Resolver{PreferGo: true}
	addresses, err := resolver.LookupNetIP(context.Background(), "ip", os.Args[1])
	var failure *net.DNSError
	if errors.As(err, &failure) {
		fmt.Println("error:", failure.Err)
		return
	}
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	for _, address := range addresses {
		fmt.Println(address.Unmap())
	}
}
