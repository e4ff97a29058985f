/*
 * A program that says that it is a version of outrigger, and does not work: MODE is how.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Tells systemd that all is well, by the protocol of sd_notify(3). */
static void say_ready(void) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof to.sun_path) return;
  strcpy(to.sun_path, path);
  socklen_t size = sizeof(sa_family_t) + strlen(path);
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  else size++;
  sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "READY=1", 7, 0, (struct sockaddr *)&to, size);
}

int main(int count, char **words) {
  const char *verb = count > 1 ? words[1] : "";
  if (strcmp(verb, "version") == 0) return puts("{\"version\":\"0.9.9\"}") < 0;
  if (strcmp(verb, "capture") == 0) return 0;
  if (strcmp(verb, "run") != 0) return 2;
  if (strcmp(MODE, "crash") == 0) return 1;
  if (strcmp(MODE, "mute") == 0) say_ready();
  for (;;) pause();
}
