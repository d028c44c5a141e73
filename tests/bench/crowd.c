/*
 * crowd N: N sleeping children, all of which die with this process. Says "ready" when they are there and ends when its
 * standard input does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int count, char **args) {
  long wanted = count > 1 ? atol(args[1]) : 0;
  pid_t self = getpid();
  for (long i = 0; i < wanted; ++i) {
    pid_t child = fork();
    if (child < 0) {
      perror("fork");
      return 1;
    }
    if (child) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent may have ended before the line above. */
    if (getppid() != self) _exit(0);
    for (;;) pause();
  }
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}
