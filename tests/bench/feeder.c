/*
 * feeder GROUP MEMINFO REST: once a millisecond writes into the file MEMINFO what /proc/meminfo would say if the v1 memory cgroup in the folder
 * GROUP were the machine: its limit, and what of it is free or holds file pages. Behind that comes the text of the file REST. Always of one
 * length, in one write. Says "ready"; ends with its input.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 16, EVERY_MS = 1, KIB = 1024 };

static char text[TEXT_BYTES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int open_in(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path);
  return fd;
}

/* The whole file from its start; the kernel makes its text anew. */
static const char *reread(int fd) {
  ssize_t length = pread(fd, text, sizeof text - 1, 0);
  if (length < 0) fail("read");
  text[length] = 0;
  return text;
}

static long kib_of(const char *stat, const char *key) {
  const char *line = strstr(stat, key);
  return line ? atoll(line + strlen(key)) / KIB : 0;
}

int main(int count, char **args) {
  if (count < 4) return 2;
  int limit = open_in(args[1], "memory.limit_in_bytes"), usage = open_in(args[1], "memory.usage_in_bytes");
  int stat = open_in(args[1], "memory.stat"), meminfo = open(args[2], O_WRONLY | O_CLOEXEC), rest = open(args[3], O_RDONLY);
  if (meminfo < 0 || rest < 0) fail(args[2]);
  static char behind[TEXT_BYTES / 2];
  if (read(rest, behind, sizeof behind - 1) < 0) fail(args[3]);
  puts("ready");
  fflush(stdout);
  for (struct pollfd input = {0, POLLIN, 0}; poll(&input, 1, EVERY_MS) == 0;) {
    long total = atoll(reread(limit)) / KIB, used = atoll(reread(usage)) / KIB;
    const char *pages = reread(stat);
    long file = kib_of(pages, "\ntotal_inactive_file ") + kib_of(pages, "\ntotal_active_file ");
    long unused = total > used ? total - used : 0, anonymous = used > file ? used - file : 0;
    long available = unused + file < total ? unused + file : total;
    static char now[TEXT_BYTES];
    int length = snprintf(now, sizeof now,
                          "MemTotal:       %8ld kB\nMemFree:        %8ld kB\nMemAvailable:   %8ld kB\nCached:         %8ld kB\nAnonPages:      %8ld kB\n%s",
                          total, unused, available, file, anonymous, behind);
    if (pwrite(meminfo, now, length, 0) != length) fail("write");
  }
  return 0;
}
