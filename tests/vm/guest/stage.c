// stage KEY=VALUE … KIND:NAME:MIB:RATE[:FLAG …] …: puts actors on, each in a cgroup of its own, waits, and says what became of them in one line of
// JSON after "@vm ". It is locked in memory and never chosen, so what it says is true when memory is gone.
//
//   group=DIR      where the cgroups of the actors are made
//   limit=BYTES    memory is short when the group comes near this, and not when the machine does
//   culprit=NAME   whose end is waited for; of all other actors none is to die
//   deadline=S     how long at most; settle=S: how long it looks on after the culprits have gone
//
//   rest   takes MIB at once and uses them again every second        eat   takes MIB at RATE MiB/s (0: as fast as it can), then rests
//   bomb   forks RATE children that take MIB each at 1 MiB/s, and new ones when they die
//   many   forks RATE children that take MIB each and do nothing any more
//   leak   forks two tools that take MIB each and rest, and one child, "leak" in a cgroup of its own, that takes RATE MiB/s without end
//
//   Flags: stubborn ignores SIGTERM; plain is of user 1000; spare does not count, whatever becomes of it.
#define _GNU_SOURCE
#include "stage.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ACTORS_MOST = 32, DEATHS_MOST = 40, POLL_US = 20000 };

static struct actor actors[ACTORS_MOST];
static int actor_count;
const char *group = "/sys/fs/cgroup";
static const char *culprit = "hog";
static double limit_bytes, deadline_s = 60, settle_s = 2;

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

void sleep_us(double us) {
  struct timespec time = {(time_t)(us / 1e6), (long)us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

char *path(const char *form, ...) {
  static char text[256];
  va_list rest;
  va_start(rest, form);
  vsnprintf(text, sizeof text, form, rest);
  va_end(rest);
  return text;
}

// Whole small files; empty when there is none.
static const char *slurp(const char *file) {
  static char text[16384];
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = 0;
  return text;
}

void put(const char *file, const char *text) {
  int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) fprintf(stderr, "stage: %s: %s\n", file, strerror(errno));
  if (fd >= 0) close(fd);
}

// The number after `key` in a file; 0 when it is not there.
static double number(const char *file, const char *key) {
  const char *at = strstr(slurp(file), key);
  return at ? strtod(at + strlen(key), NULL) : 0;
}

// Starts one, and returns when it has begun, or has what it rests with.
static void start(struct actor *actor) {
  int ready[2];
  char said;
  if (pipe2(ready, O_CLOEXEC)) exit(3);
  mkdir(path("%s/%s", group, actor->name), 0755);
  actor->pid = fork();
  if (actor->pid == 0) {
    put("/proc/self/oom_score_adj", "0");
    put(path("%s/%s/cgroup.procs", group, actor->name), "0");
    act(actor, ready[1]);
  }
  close(ready[1]);
  for (int begun = strcmp(actor->kind, "leak") ? 1 : 3; begun > 0; begun--)
    if (read(ready[0], &said, 1) != 1) fprintf(stderr, "stage: %s did not begin\n", actor->name);
  close(ready[0]);
  mkdir("/run/stage", 0755);
  FILE *file = fopen(path("/run/stage/%s", actor->name), "w");
  if (file) fprintf(file, "%d\n", actor->pid), fclose(file);
}

// ---- what becomes of them

struct figures {
  double oom_kills, group_oom_kills, some_us, full_us;
};

static struct figures measure(void) {
  struct figures now;
  const char *pressure = limit_bytes ? path("%s/memory.pressure", group) : "/proc/pressure/memory";
  char file[256];
  snprintf(file, sizeof file, "%s", pressure);
  const char *text = slurp(file), *some = strstr(text, "total="), *full = some ? strstr(some + 1, "total=") : NULL;
  now.some_us = some ? strtod(some + 6, NULL) : 0;
  now.full_us = full ? strtod(full + 6, NULL) : 0;
  now.oom_kills = number("/proc/vmstat", "\noom_kill ");
  now.group_oom_kills = number(path("%s/memory.events", group), "\noom_kill ");
  return now;
}

static double least_available_kib = 1e18;

// Whether memory is short: nine tenths of the limit, or of memory and of swap, are in use.
static int is_short(void) {
  if (limit_bytes) {
    double current = strtod(slurp(path("%s/memory.current", group)), NULL);
    double file = number(path("%s/memory.stat", group), "\nfile "), left = limit_bytes - current + file;
    if (left / 1024 < least_available_kib) least_available_kib = left / 1024;
    return left < limit_bytes / 10;
  }
  const char *text = slurp("/proc/meminfo");
  double total = strtod(strstr(text, "MemTotal:") + 9, NULL), available = strtod(strstr(text, "MemAvailable:") + 13, NULL);
  double swap = strtod(strstr(text, "SwapTotal:") + 10, NULL), swap_free = strtod(strstr(text, "SwapFree:") + 9, NULL);
  if (available < least_available_kib) least_available_kib = available;
  return available < total / 10 && swap_free <= swap / 10;
}

// Tasks in the cgroup of an actor.
static int tasks_in(const char *name) {
  int count = 0;
  for (const char *at = slurp(path("%s/%s/cgroup.procs", group, name)); *at; at++) count += *at == '\n';
  return count;
}

// Innocents that were there when it began, and are not any more.
static int innocents_lost(void) {
  int lost = 0;
  for (int i = 0; i < actor_count; i++)
    if (strcmp(actors[i].name, culprit) && !actors[i].spare) lost += actors[i].tasks - tasks_in(actors[i].name);
  return lost;
}

static char deaths[DEATHS_MOST * 96];
static int death_count;

// Notes who has died since the last time. What an actor leaves behind comes to this process, and still has its name.
static void reap(double began) {
  siginfo_t info = {0};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
    char name[16] = "?";
    sscanf(slurp(path("/proc/%d/comm", info.si_pid)), "%15s", name);
    waitpid(info.si_pid, NULL, 0);
    if (death_count++ < DEATHS_MOST) {
      size_t used = strlen(deaths);
      snprintf(deaths + used, sizeof deaths - used, "%s{\"name\":\"%s\",\"status\":%d,\"ms\":%.0f}", used ? "," : "", name,
               info.si_status, now_ms() - began);
    }
    info.si_pid = 0;
  }
}

static void tell(const struct figures *was, double began, double short_at, double relieved_at, const char *end) {
  struct figures now = measure();
  printf("@vm {\"fact\":\"stage\",\"end\":\"%s\",\"took_ms\":%.0f,\"culprits_left\":%d,\"innocents_lost\":%d,"
         "\"kernel_oom_kills\":%.0f,\"group_oom_kills\":%.0f,\"psi_some_ms\":%.0f,\"psi_full_ms\":%.0f,"
         "\"least_available_kib\":%.0f,",
         end, now_ms() - began, tasks_in(culprit), innocents_lost(), now.oom_kills - was->oom_kills,
         now.group_oom_kills - was->group_oom_kills, (now.some_us - was->some_us) / 1e3, (now.full_us - was->full_us) / 1e3,
         least_available_kib);
  if (short_at) printf("\"short_at_ms\":%.0f,", short_at - began);
  else printf("\"short_at_ms\":null,");
  if (short_at && relieved_at) printf("\"relief_ms\":%.0f,", relieved_at - short_at);
  else printf("\"relief_ms\":null,");
  printf("\"deaths\":[%s]}\n", deaths);
  fflush(stdout);
}

// From the moment on when the culprits begin, until they have gone and nothing else happened for a while.
static void look_on(void) {
  struct figures was = measure();
  double began = now_ms(), short_at = 0, relieved_at = 0, gone_at = 0;
  const char *end = "deadline";
  for (int i = 0; i < actor_count; i++)
    if (actors[i].late) start(&actors[i]);
  for (int i = 0; i < actor_count; i++) actors[i].tasks = tasks_in(actors[i].name);
  printf("@vm {\"fact\":\"begun\"}\n");
  fflush(stdout);
  while (now_ms() - began < deadline_s * 1e3) {
    int shortage = is_short();
    double now = now_ms();
    if (shortage && !short_at) short_at = now;
    reap(began);
    int left = tasks_in(culprit);
    if (left) gone_at = relieved_at = 0;
    else if (!gone_at) gone_at = now;
    if (gone_at && !shortage && !relieved_at) relieved_at = now;
    if (gone_at && relieved_at && now - gone_at > settle_s * 1e3) {
      end = "gone";
      break;
    }
    sleep_us(POLL_US);
  }
  reap(began);
  tell(&was, began, short_at, relieved_at, end);
}

// ---- what is asked

static int setting(const char *word) {
  const char *value = strchr(word, '=');
  if (!value) return 0;
  value++;
  if (!strncmp(word, "group=", 6)) group = value;
  else if (!strncmp(word, "limit=", 6)) limit_bytes = strtod(value, NULL);
  else if (!strncmp(word, "culprit=", 8)) culprit = value;
  else if (!strncmp(word, "deadline=", 9)) deadline_s = strtod(value, NULL);
  else if (!strncmp(word, "settle=", 7)) settle_s = strtod(value, NULL);
  else exit(2);
  return 1;
}

static void cast(const char *word) {
  if (actor_count == ACTORS_MOST) exit(2);
  struct actor *actor = &actors[actor_count++];
  if (sscanf(word, "%7[^:]:%15[^:]:%ld:%lf", actor->kind, actor->name, &actor->mib, &actor->rate) < 3) exit(2);
  actor->stubborn = strstr(word, ":stubborn") != NULL;
  actor->plain = strstr(word, ":plain") != NULL;
  actor->spare = strstr(word, ":spare") != NULL;
  actor->late = !strcmp(actor->name, culprit) || !strcmp(actor->kind, "leak");
  if (actor->mib == 0) actor->mib = FOREVER_MIB;
}

int main(int count, char **words) {
  for (int i = 1; i < count; i++)
    if (!setting(words[i])) cast(words[i]);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  put("/proc/self/oom_score_adj", "-1000");
  // ONFAULT is not needed: it is small.
  mlockall(MCL_CURRENT | MCL_FUTURE);
  for (int i = 0; i < actor_count; i++)
    if (!actors[i].late) start(&actors[i]);
  mkdir(path("%s/%s", group, culprit), 0755);
  sleep_us(500000);
  look_on();
  return 0;
}
