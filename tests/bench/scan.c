/*
 * scan: what a round costs in C at least. For every line on standard input it lists /proc, reads the first bytes of
 * /proc/PID/statm of everybody through descriptors that it keeps open, and answers {"us": CPU time, "tasks": n}.
 * Nothing is parsed, scored or chosen.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PIDS 4194305
static int kept[PIDS]; /* descriptor + 1; pages that nobody touches cost nothing */

static double cpu_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static long scan(void) {
  char text[52], path[64];
  long tasks = 0;
  DIR *proc = opendir("/proc");
  if (!proc) exit(2);
  for (struct dirent *entry; (entry = readdir(proc));) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    int pid = atoi(entry->d_name);
    if (!kept[pid]) {
      snprintf(path, sizeof path, "/proc/%d/statm", pid);
      kept[pid] = open(path, O_RDONLY | O_CLOEXEC) + 1;
    }
    if (kept[pid] && pread(kept[pid] - 1, text, sizeof text, 0) > 0) {
      ++tasks;
    } else if (kept[pid]) {
      close(kept[pid] - 1);
      kept[pid] = 0;
    }
  }
  closedir(proc);
  return tasks;
}

int main(void) {
  puts("ready");
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin);) {
    double began = cpu_us();
    long tasks = scan();
    printf("{\"us\":%.3f,\"tasks\":%ld}\n", cpu_us() - began, tasks);
    fflush(stdout);
  }
  return 0;
}
