// Command dns_server is the DNS server of Istio's own agent, alone: it serves one name table, read as
// the protobuf NameTable that istiod pushes. Tests hold its answers against outrigger's, and
// benchmarks its speed. Where it forwards to, and its search domains, come from /etc/resolv.conf, as
// in Istio.
//
// usage: dns_server ADDRESS NAMESPACE TABLE
//
// It prints "ready" once the table is in force, and ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/dns/client"
	dnsProto "istio.io/istio/pkg/dns/proto"
)

func main() {
	if len(os.Args) != 4 {
		fail("usage: dns_server ADDRESS NAMESPACE TABLE")
	}
	address, namespace, path := os.Args[1], os.Args[2], os.Args[3]
	encoded, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	table := &dnsProto.NameTable{}
	if err := proto.Unmarshal(encoded, table); err != nil {
		fail(err)
	}
	server, err := client.NewLocalDNSServer(namespace, namespace+".svc.cluster.local", address)
	if err != nil {
		fail(err)
	}
	server.StartDNS()
	server.UpdateLookupTable(table)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, "dns_server:", reason)
	os.Exit(1)
}
