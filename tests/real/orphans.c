// orphans HOW MIB [COUNT]: what escapes a walk along parents. Prints the pid of each process that it leaves behind, one a line, when that
// holds MIB. They end by themselves after three minutes.
//
//   hold      holds MIB and sleeps
//   session   COUNT times: a child makes a session, forks a process that holds MIB, and exits; then this process exits, too
//   group     the same with a process group instead of a session
//   bare      as session, and the last of the three calls execve with an empty environment when its parent is gone
//   watched   as bare, but the child exits only when a line comes on stdin
//   leak      as session, and they grow to MIB by 4 MiB every 10 ms
//   copies    takes MIB itself, then forks COUNT processes that only read it, and stays
//   shared    takes MIB of shared memory, then forks COUNT processes that map it as well, and stays
//   spawn     takes MIB itself, then COUNT times a child that calls execve 3 ms after the fork, and stays
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFE_S = 180, STEP = 4 << 20, MOST_MIB = 256 };

static const char *program, *how, *mib;
static size_t bytes;

static char *map(size_t length, int flags) {
  char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(3);
  return memory;
}

static void touch(char *memory, size_t length) {
  for (size_t at = 0; at < length; at += 4096) memory[at] = 1;
}

static long look(const char *memory) {
  long sum = 0;
  for (size_t at = 0; at < bytes; at += 4096) sum += memory[at];
  return sum;
}

static void say(long pid) {
  char line[32];
  int length = snprintf(line, sizeof line, "%ld\n", pid);
  if (write(1, line, length) != length) _exit(3);
}

static void sleep_on(void) {
  for (;;) pause();
}

static void hold(void) {
  touch(map(bytes, MAP_PRIVATE), bytes);
  say(getpid());
  sleep_on();
}

static void leak(void) {
  say(getpid());
  for (size_t taken = 0; taken < bytes; taken += STEP) {
    touch(map(STEP, MAP_PRIVATE), STEP);
    usleep(10000);
  }
  sleep_on();
}

// The last of the three. Its parent has to be gone before it forgets its environment.
static void left_behind(pid_t parent) {
  alarm(LIFE_S);
  if (!strcmp(how, "leak")) leak();
  if (strcmp(how, "bare") && strcmp(how, "watched")) hold();
  while (getppid() == parent) usleep(500);
  char *none[] = {NULL};
  execle(program, program, "hold", mib, NULL, none);
  _exit(3);
}

static void leave_one(void) {
  pid_t child = fork();
  if (child > 0) {
    waitpid(child, NULL, 0);
    return;
  }
  if (!strcmp(how, "group")) setpgid(0, 0);
  else setsid();
  pid_t self = getpid();
  if (!fork()) left_behind(self);
  char byte;
  if (!strcmp(how, "watched") && read(0, &byte, 1) < 0) _exit(3);
  _exit(0);
}

static void stay_with(int count) {
  int shared = !strcmp(how, "shared");
  char *memory = map(bytes, shared ? MAP_SHARED : MAP_PRIVATE);
  touch(memory, bytes);
  for (int i = 0; i < count; i++) {
    if (fork()) continue;
    alarm(LIFE_S);
    if (look(memory)) say(getpid());
    sleep_on();
  }
  say(getpid());
  sleep_on();
}

static void spawn_on(int count) {
  touch(map(bytes, MAP_PRIVATE), bytes);
  say(getpid());
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (!child) {
      usleep(3000);
      execl("/bin/true", "true", NULL);
      _exit(3);
    }
    waitpid(child, NULL, 0);
  }
  say(0);
  sleep_on();
}

int main(int count, char **arguments) {
  if (count < 3 || atoi(arguments[2]) > MOST_MIB) return 2;
  program = arguments[0];
  how = arguments[1];
  mib = arguments[2];
  bytes = (size_t)atol(mib) << 20;
  int times = count > 3 ? atoi(arguments[3]) : 1;
  alarm(LIFE_S);
  if (!strcmp(how, "hold")) hold();
  if (!strcmp(how, "copies") || !strcmp(how, "shared")) stay_with(times);
  if (!strcmp(how, "spawn")) spawn_on(times);
  for (int i = 0; i < times; i++) leave_one();
  return 0;
}
