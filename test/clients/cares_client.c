/* Prints the addresses that c-ares gives for a name, one a line, or what it says instead. */
#include <ares.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

static void print(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
	struct ares_addrinfo_node *each;
	char text[INET6_ADDRSTRLEN];

	if (status != ARES_SUCCESS) {
		printf("error: %s\n", ares_strerror(status));
		return;
	}
	for (each = found->nodes; each != NULL; each = each->ai_next) {
		const void *address = each->ai_family == AF_INET
			? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
			: (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
		puts(inet_ntop(each->ai_family, address, text, sizeof text));
	}
	ares_freeaddrinfo(found);
}

int main(int argc, char **argv)
{
	struct ares_addrinfo_hints hints;
	ares_channel channel;

	if (argc != 2 || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init(&channel) != ARES_SUCCESS)
		return 2;
	memset(&hints, 0, sizeof hints);
	hints.ai_family = AF_UNSPEC;
	hints.ai_flags = ARES_AI_NOSORT;
	ares_getaddrinfo(channel, argv[1], NULL, &hints, print, NULL);
	for (;;) {
		fd_set readable, writable;
		struct timeval limit;
		int count;

		FD_ZERO(&readable);
		FD_ZERO(&writable);
		count = ares_fds(channel, &readable, &writable);
		if (count == 0)
			break;
		select(count, &readable, &writable, NULL, ares_timeout(channel, NULL, &limit));
		ares_process(channel, &readable, &writable);
	}
	ares_destroy(channel);
	return 0;
}
