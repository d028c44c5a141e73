// hostile KIND MIB [ARG]: one awkward process for the killer's tests. Waits for a line on stdin before it takes memory (so that
// the test can put it into a cgroup first), then prints "READY [pid of another task on the same memory]". Ends by itself after 90 s.
//
//   plain      holds MIB and sleeps                      innocent    the same; the one that must live
//   threads    ARG threads (200) in one process          zleader     the leader exits, a second thread holds MIB and lives on
//   sharemm    two processes, one mm (CLONE_VM)          vfork       a parent blocked in vfork (D), its child on the same mm
//   shm        MIB of shared memory in three processes   stubborn    ignores SIGTERM
//   slowterm   exits ARG ms after SIGTERM                forker      goes on under a new pid every 100 ms
//   vanish     forks children that exit at once          zombies     1000 children nobody reaps
//   niced      plain at nice 10                          busy        one busy loop, no memory
//   reuse      see reuse_server()
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_S = 600 };

static size_t bytes;
static long argument;

static char *take(int flags) {
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    exit(3);
  }
  for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  return memory;
}

static void ready(long other) {
  if (other > 0) printf("READY %ld\n", other);
  else printf("READY\n");
  fflush(stdout);
}

static void sleep_on(void) {
  for (;;) pause();
}

static void *thread_sleep(void *unused) {
  (void)unused;
  sleep_on();
  return NULL;
}

static void start_threads(long count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (long i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, thread_sleep, NULL)) exit(3);
  }
}

static int clone_sleep(void *unused) {
  (void)unused;
  sleep_on();
  return 0;
}

static void exit_late(int signal) {
  (void)signal;
  struct timespec delay = {argument / 1000, argument % 1000 * 1000000L};
  while (nanosleep(&delay, &delay) && errno == EINTR) {
  }
  _exit(0);
}

static void wait_for_line(void) {
  char byte;
  while (read(0, &byte, 1) == 1 && byte != '\n') {
  }
}

static void fork_on(void) {
  for (int i = 0; i < LIFE_S * 10; i++) {
    usleep(100000);
    pid_t child = fork();
    if (child > 0) _exit(0);
  }
}

static void fork_vanishing(void) {
  for (;;) {
    for (int i = 0; i < 20; i++)
      if (!fork()) _exit(0);
    while (waitpid(-1, NULL, 0) > 0) {
    }
  }
}

// The start of /proc/PID/NAME as a string; 0 when there is nothing to read.
static int read_proc(pid_t pid, const char *name, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY);
  ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return 0;
  text[length] = 0;
  return 1;
}

static unsigned long long start_ticks(pid_t pid) {
  char line[1024];
  if (!read_proc(pid, "stat", line, sizeof line)) return 0;
  char *at = strrchr(line, ')');
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  return at ? strtoull(at, NULL, 10) : 0;
}

// A child with exactly this pid, or 0 when it cannot be had. SIGTERM stays pending in it, so that nothing sent to it is lost.
static pid_t fork_as(pid_t want) {
  for (int tries = 0; tries < 1000; tries++) {
    char text[16];
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
    int length = snprintf(text, sizeof text, "%d", want - 1);
    if (fd < 0 || write(fd, text, length) != length) return 0;
    close(fd);
    pid_t child = fork();
    if (child == 0) {
      sleep_on();
      _exit(0);
    }
    if (child == want) return child;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  return 0;
}

static int signalled(pid_t pid) {
  if (waitpid(pid, NULL, WNOHANG) != 0) return 1;
  char text[4096];
  if (!read_proc(pid, "status", text, sizeof text)) return 1;
  char *thread = strstr(text, "\nSigPnd:"), *group = strstr(text, "\nShdPnd:");
  return !thread || !group || strtoull(thread + 8, NULL, 16) != 0 || strtoull(group + 8, NULL, 16) != 0;
}

// One command a line on stdin, one answer a line on stdout:
//   "first PID"  a victim with that pid                     → "ok" | "no"
//   "reuse"      ends it, an innocent takes its pid         → "same" | "other" (start tick) | "no"
//   "check"      has the innocent been signalled? ends it   → "clean" | "SIGNALLED"
static void reuse_server(void) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, NULL);
  char line[64];
  pid_t current = 0;
  unsigned long long born = 0;
  alarm(600);
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "first ", 6)) {
      current = fork_as(atoi(line + 6));
      born = current ? start_ticks(current) : 0;
      puts(current ? "ok" : "no");
    } else if (!strncmp(line, "reuse", 5)) {
      pid_t want = current;
      kill(want, SIGKILL);
      waitpid(want, NULL, 0);
      current = fork_as(want);
      puts(!current ? "no" : start_ticks(current) == born ? "same" : "other");
    } else {
      puts(signalled(current) ? "SIGNALLED" : "clean");
      kill(current, SIGKILL);
      waitpid(current, NULL, 0);
    }
    fflush(stdout);
  }
}

static void vfork_on(void) {
  // Said before the parent blocks: the child's pid is read by the test from /proc.
  ready(0);
  if (!vfork()) {
    sleep_on();
    _exit(0);
  }
}

static void shared_by_three(void) {
  take(MAP_SHARED);
  for (int i = 0; i < 2; i++)
    if (!fork()) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      sleep_on();
    }
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  const char *kind = arguments[1];
  bytes = (size_t)atol(arguments[2]) << 20;
  argument = count > 3 ? atol(arguments[3]) : 0;
  if (!strcmp(kind, "reuse")) {
    reuse_server();
    return 0;
  }
  alarm(LIFE_S);
  wait_for_line();
  if (!strcmp(kind, "busy")) {
    ready(0);
    for (;;) {
    }
  }
  if (!strcmp(kind, "zombies")) {
    // Before there is any memory whose tables each fork would copy.
    for (int i = 0; i < 1000; i++)
      if (!fork()) _exit(0);
  }
  if (!strcmp(kind, "shm")) shared_by_three();
  else if (bytes) take(MAP_PRIVATE);
  if (!strcmp(kind, "threads")) start_threads(argument ? argument : 200);
  else if (!strcmp(kind, "zleader")) {
    start_threads(1);
    ready(0);
    pthread_exit(NULL);
  } else if (!strcmp(kind, "sharemm")) {
    char *stack = malloc(65536);
    ready(clone(clone_sleep, stack + 65536, CLONE_VM | SIGCHLD, NULL));
    sleep_on();
  } else if (!strcmp(kind, "vfork")) vfork_on();
  else if (!strcmp(kind, "stubborn")) signal(SIGTERM, SIG_IGN);
  else if (!strcmp(kind, "slowterm")) signal(SIGTERM, exit_late);
  else if (!strcmp(kind, "niced")) setpriority(PRIO_PROCESS, 0, 10);
  ready(0);
  if (!strcmp(kind, "forker")) fork_on();
  if (!strcmp(kind, "vanish")) fork_vanishing();
  sleep_on();
  return 0;
}
