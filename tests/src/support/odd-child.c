/* Processes that no script can be: `vfork` leaves a child of vfork that never calls exec, `leader` a thread group whose
   leader has exited while a thread lives on. Prints the pid to look at. Ends by itself after a minute. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *live(void *unused) {
  memset(malloc(8 << 20), 1, 8 << 20);
  dprintf(1, "%d\n", getpid());
  for (;;) pause();
  return unused;
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(60);
  if (argc > 1 && strcmp(argv[1], "leader") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, live, NULL);
    pthread_exit(NULL);
  }
  memset(malloc(8 << 20), 1, 8 << 20);
  if (vfork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    dprintf(1, "%d\n", getpid());
    for (;;) pause();
  }
  return 0;
}
