/*
 * The smallest program that a container image can be: the loop of the Lambda Runtime API, with nothing but libc. It answers with its own
 * arguments, directory and variables, so that a test sees what of the image's and the function's settings arrived.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char text[1 << 16];

/* One request, one answer: the connection is closed behind it. */
static int ask(const char *request) {
  const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
  const char *colon = api ? strchr(api, ':') : NULL;
  if (!colon) return -1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(colon + 1))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
  if (write(fd, request, strlen(request)) < 0) return -1;
  size_t have = 0;
  for (ssize_t n; (n = read(fd, text + have, sizeof text - 1 - have)) > 0;) have += (size_t)n;
  text[have] = 0;
  close(fd);
  return 0;
}

static const char *or_empty(const char *value) { return value ? value : ""; }

int main(int argc, char **argv) {
  static char id[128], body[8192], request[16384], directory[1024];
  for (;;) {
    if (ask("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\nConnection: close\r\n\r\n") < 0) return 1;
    char *header = strcasestr(text, "lambda-runtime-aws-request-id: ");
    if (!header) return 2;
    sscanf(strchr(header, ' ') + 1, "%127[^\r]", id);
    char *event = strstr(text, "\r\n\r\n");
    FILE *written = fopen("/tmp/written", "w");
    int root_is_closed = fopen("/written", "w") == NULL;
    if (written) fclose(written);
    int n = snprintf(body, sizeof body, "{\"arguments\":[");
    for (int i = 1; i < argc; i++) n += snprintf(body + n, sizeof body - (size_t)n, "%s\"%s\"", i > 1 ? "," : "", argv[i]);
    snprintf(body + n, sizeof body - (size_t)n,
             "],\"directory\":\"%s\",\"fromImage\":\"%s\",\"fromFunction\":\"%s\",\"execution\":\"%s\",\"written\":%s,\"rootIsClosed\":%s,\"machine\":%s,\"event\":%s}",
             or_empty(getcwd(directory, sizeof directory)), or_empty(getenv("FROM_IMAGE")), or_empty(getenv("FROM_FUNCTION")), or_empty(getenv("AWS_EXECUTION_ENV")),
             written ? "true" : "false", root_is_closed ? "true" : "false", access("/usr/bin/env", F_OK) == 0 ? "true" : "false", event ? event + 4 : "null");
    snprintf(request, sizeof request,
             "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: runtime\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", id, strlen(body), body);
    printf("answered %s\n", id);
    fflush(stdout);
    if (ask(request) < 0) return 3;
  }
}
