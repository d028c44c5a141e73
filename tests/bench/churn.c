/*
 * churn N EVERY_US: N sleeping children, of which the oldest ends and a new one begins every EVERY_US microseconds. All die with this process.
 * Says "ready" when they are there; ends with its input.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t start(pid_t self) {
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    exit(1);
  }
  if (child) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* The parent may have ended before the line above. */
  if (getppid() != self) _exit(0);
  for (;;) pause();
}

int main(int count, char **args) {
  if (count < 3) return 2;
  long wanted = atol(args[1]), every_us = atol(args[2]);
  pid_t self = getpid(), *children = calloc(wanted, sizeof *children);
  if (!children) return 1;
  for (long i = 0; i < wanted; ++i) children[i] = start(self);
  puts("ready");
  fflush(stdout);
  struct pollfd input = {0, POLLIN, 0};
  struct timespec pause_for = {every_us / 1000000, every_us % 1000000 * 1000};
  for (long oldest = 0; poll(&input, 1, 0) == 0; oldest = (oldest + 1) % wanted) {
    kill(children[oldest], SIGKILL);
    waitpid(children[oldest], NULL, 0);
    children[oldest] = start(self);
    nanosleep(&pause_for, NULL);
  }
  return 0;
}
