/* Prints the addresses that musl's getaddrinfo gives for a name, one a line, or what it says instead. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct addrinfo hints, *found, *each;
	char text[INET6_ADDRSTRLEN];
	int failure;

	if (argc != 2)
		return 2;
	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	failure = getaddrinfo(argv[1], NULL, &hints, &found);
	if (failure != 0) {
		printf("error: %s\n", gai_strerror(failure));
		return 0;
	}
	for (each = found; each != NULL; each = each->ai_next) {
		const void *address = each->ai_family == AF_INET
			? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
			: (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
		puts(inet_ntop(each->ai_family, address, text, sizeof text));
	}
	return 0;
}
