// The parts that are played: see the top of stage.c.
#define _GNU_SOURCE
#include "stage.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PAGE = 4096 };

static volatile char *take_mib(void) {
  char *memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  // Pages that differ: nothing that merges or compresses them finds much.
  for (long at = 0; at < MIB; at += sizeof(long)) *(long *)(memory + at) = random();
  return memory;
}

static void take(const struct actor *actor, double rate, volatile char **memory) {
  double due = now_ms();
  for (long taken = 0; taken < actor->mib; taken++) {
    volatile char *one = take_mib();
    // Refused: tried again, as a program in need does.
    while (!one) {
      sleep_us(100000);
      one = take_mib();
    }
    if (memory) memory[taken] = one;
    if (rate <= 0) continue;
    due += 1e3 / rate;
    double left = due - now_ms();
    if (left > 0) sleep_us(left * 1e3);
  }
}

static void rest(const struct actor *actor, int ready) {
  volatile char **memory = calloc(actor->mib + 1, sizeof *memory);
  take(actor, 0, memory);
  if (write(ready, "r", 1) != 1) _exit(3);
  for (;;) {
    for (long i = 0; i < actor->mib; i++)
      for (long at = 0; at < MIB; at += PAGE) memory[i][at]++;
    sleep_us(1e6);
  }
}

static void bomb(const struct actor *actor) {
  signal(SIGCHLD, SIG_IGN);
  for (long forked = 0;;) {
    pid_t child = forked < actor->rate ? fork() : -1;
    if (child == 0) {
      take(actor, 1, NULL);
      for (;;) pause();
    }
    if (child > 0) forked++;
    else sleep_us(50000);
    // Those that were killed are made up for: signal 0 costs less than counting by wait.
    if (child < 0 && forked >= actor->rate) forked--;
  }
}

static void leak(const struct actor *actor, int ready) {
  signal(SIGCHLD, SIG_IGN);
  for (int child = 0; child < 3; child++) {
    if (fork() > 0) continue;
    if (child < 2) rest(actor, ready);
    struct actor own = {.mib = FOREVER_MIB, .rate = actor->rate};
    prctl(PR_SET_NAME, "leak");
    put(path("%s/leak/cgroup.procs", group), "0");
    if (write(ready, "r", 1) != 1) _exit(3);
    take(&own, own.rate, NULL);
    for (;;) pause();
  }
  for (;;) pause();
}

static void many(const struct actor *actor) {
  for (int child = 0; child < actor->rate; child++) {
    if (fork() > 0) continue;
    take(actor, 0, NULL);
    for (;;) pause();
  }
}

void act(const struct actor *actor, int ready) {
  // A session of its own, as a service has.
  setsid();
  if (actor->stubborn) signal(SIGTERM, SIG_IGN);
  // Dumpable, as a program that the user had started: else its /proc is root's.
  if (actor->plain && (setgid(1000) || setuid(1000) || prctl(PR_SET_DUMPABLE, 1))) _exit(4);
  prctl(PR_SET_NAME, actor->name);
  srandom(getpid());
  if (!strcmp(actor->kind, "rest")) rest(actor, ready);
  if (!strcmp(actor->kind, "leak")) leak(actor, ready);
  if (!strcmp(actor->kind, "many")) many(actor);
  if (write(ready, "r", 1) != 1) _exit(3);
  if (!strcmp(actor->kind, "many"))
    for (;;) pause();
  if (!strcmp(actor->kind, "bomb")) bomb(actor);
  take(actor, actor->rate, NULL);
  for (;;) pause();
}
