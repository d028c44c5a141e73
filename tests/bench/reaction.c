/*
 * reaction MEMINFO HIGH LOW MIB: makes the memory in the file MEMINFO run short, and says how long a victim then lives. HIGH and LOW are files
 * with the two texts, of one length. Says "ready"; each line of input is a number of microseconds: starts a victim that holds MIB, sleeps so
 * long, writes LOW over MEMINFO in one write, waits until the victim is dead, and writes HIGH again. Answers {"ms":NUMBER}, null when the victim
 * lived for fifteen seconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 16, LONGEST_MS = 15000 };

struct text {
  char bytes[TEXT_BYTES];
  ssize_t length;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void read_text(struct text *text, const char *path) {
  int fd = open(path, O_RDONLY);
  text->length = fd < 0 ? -1 : read(fd, text->bytes, TEXT_BYTES);
  if (text->length <= 0) fail(path);
  close(fd);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void put(int meminfo, const struct text *text) {
  if (pwrite(meminfo, text->bytes, text->length, 0) != text->length) fail("write");
}

/* Returns when it holds its memory. */
static pid_t start_victim(size_t bytes) {
  int held[2];
  if (pipe(held)) fail("pipe");
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "victim");
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(3);
    memset(memory, 1, bytes);
    if (write(held[1], "x", 1) != 1) _exit(3);
    for (;;) pause();
  }
  char byte;
  close(held[1]);
  if (read(held[0], &byte, 1) != 1) fail("victim");
  close(held[0]);
  return child;
}

int main(int count, char **args) {
  static struct text high, low;
  if (count < 5) return 2;
  int meminfo = open(args[1], O_WRONLY);
  if (meminfo < 0) fail(args[1]);
  read_text(&high, args[2]);
  read_text(&low, args[3]);
  if (high.length != low.length) return 2;
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    pid_t victim = start_victim((size_t)atol(args[4]) << 20);
    struct pollfd end = {(int)syscall(SYS_pidfd_open, victim, 0), POLLIN, 0};
    if (end.fd < 0) fail("pidfd_open");
    usleep((useconds_t)atol(line));
    double began = now_ms();
    put(meminfo, &low);
    int died = poll(&end, 1, LONGEST_MS) == 1;
    double ms = now_ms() - began;
    put(meminfo, &high);
    close(end.fd);
    kill(victim, SIGKILL);
    waitpid(victim, NULL, 0);
    if (died) printf("{\"ms\":%.3f}\n", ms);
    else printf("{\"ms\":null}\n");
    fflush(stdout);
  }
  return 0;
}
