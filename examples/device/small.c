// The smallest host: the engine's ABI (docs/abi.md), step by step. Prints who would be sacrificed; --guard watches memory, and with --enforce
// kills. For a device take badness-device (main.c, proc.c, guard.c), which allocates nothing and knows what is rare: exited leaders, vfork,
// statuses longer than the window, swap, lost readers.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"

enum { MORE_TASKS = 1024, MAX_DISCOUNT = 4, LINE = 64, SMALL = 256, SHORT_PERCENT = 10 };
enum { LOOK_MS = 50, TERM_MS = 3000, SETTLE_MS = 250 };
enum { PIDFD_SEND_SIGNAL = 424, PIDFD_OPEN = 434 };

static const char *const SCHEMES[] = {L_SCHEME_NAMES}, *root = "/proc";
static int scheme = L_SCHEME_BADNESS, own_count;
static bool print_record;
static uint32_t own[LINE];

// Bytes of a file below /proc, from its start; below 0 when it cannot be read.
static ssize_t read_file(const char *folder, const char *name, void *to, size_t size) {
  char path[SMALL];
  snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = 0, got = -1;
  while (fd >= 0 && (got = read(fd, (char *)to + length, size - length)) > 0) length += got;
  if (fd >= 0) close(fd);
  return got < 0 ? -1 : length;
}

// `MemAvailable:   23394504 kB`; 0 without that line.
static double kib_of(const char *key) {
  static char text[8192];
  ssize_t length = read_file(".", "meminfo", text, sizeof text - 1);
  text[length < 0 ? 0 : length] = 0;
  const char *line = strstr(text, key);
  return line ? strtod(line + strlen(key), NULL) : 0;
}

// Step 2 of docs/abi.md: the texts of a task through the window, and what no text tells as flags. False when it is gone.
static bool stage(const char *pid) {
  char adj[SMALL] = "";
  void *text = at(W + L_W_TEXT);
  memset(field(0), 0, L_FIELDS * L_FIELD_BYTES);
  ssize_t length = read_file(pid, "stat", text, L_TEXT_BYTES);
  if (length < 0 || CALL(stat_parse, W, length, L_USER_HZ) < 0) return false;
  double stat_rss = *field(L_FIELD_STAT_RSS_PAGES);
  *field(L_FIELD_RSS_PAGES) = 0;
  uint32_t flags = L_TASK_KTHREAD | L_TASK_NO_MM;
  if (!((uint32_t)*field(L_FIELD_PF_FLAGS) & L_PF_KTHREAD)) {
    length = read_file(pid, "status", text, L_TEXT_BYTES);
    int seen = length < 0 ? -1 : CALL(status_parse, W, length, sysconf(_SC_PAGESIZE));
    if (seen < 0) return false;
    *field(L_FIELD_STAT_RSS_PAGES) = stat_rss;
    flags = L_TASK_STAT_RSS | (seen & L_STATUS_HAS_MM ? L_TASK_HAS_MM : 0);
    read_file(pid, "oom_score_adj", adj, sizeof adj - 1);
    *field(L_FIELD_OOM_SCORE_ADJ) = strtol(adj, NULL, 10);
  }
  for (int i = 0; i < own_count; ++i) if (own[i] == *field(L_FIELD_TGID)) flags |= L_TASK_SELF;
  if (own_count && geteuid() && *field(L_FIELD_UID) != geteuid()) flags |= L_TASK_OUTSIDE; // Not ours to signal.
  *field(L_FIELD_FLAGS) = flags;
  return true;
}

// This process and its ancestors, whom a guard never chooses.
static void find_own(void) {
  char pid[SMALL];
  for (uint32_t one = getpid(); one > L_PID_INIT && own_count < LINE; one = *field(L_FIELD_PPID)) {
    snprintf(pid, sizeof pid, "%u", one);
    if (!stage(pid)) break;
    own[own_count++] = one;
  }
}

static int is_pid(const struct dirent *entry) { return isdigit((unsigned char)entry->d_name[0]); }

// The order of bytes, in which the other hosts put tasks too: alphasort would follow the locale.
static int by_name(const struct dirent **one, const struct dirent **other) { return strcmp((*one)->d_name, (*other)->d_name); }

// Steps 1 to 3: everybody into a new snapshot. How many were put, below 0 without a /proc.
static int read_tasks(void) {
  struct dirent **entries;
  char text[SMALL] = "";
  int put = 0, count = scandir(root, &entries, is_pid, by_name);
  read_file(".", "uptime", text, sizeof text - 1);
  if (count < 0 || CALL(table_begin, L_USER_HZ, sysconf(_SC_PAGESIZE), (uint64_t)(strtod(text, NULL) * L_USER_HZ + 0.5)) < 0) return -1;
  for (int i = 0; i < count; free(entries[i++])) put += stage(entries[i]->d_name) && CALL(table_put, W) >= 0;
  free(entries);
  CALL(table_publish);
  return put;
}

// Steps 4, 5 and 7: the slot of the victim, or L_E_*. The record of the decision is kept, and printed if asked.
static int choose(void) {
  double page_kib = sysconf(_SC_PAGESIZE) / 1024.0;
  memset(at(W + L_W_PARAMETERS), 0, L_P_RECORDED_BYTES);
  *f64_at(W + L_P_MAX_DISCOUNT) = MAX_DISCOUNT;
  *u32_at(W + L_P_AGE) = L_AGE_SPARE_OLD;
  *u32_at(W + L_P_ADJ) = L_ADJ_NEVER_ONLY;
  *f64_at(W + L_P_TOTAL_PAGES) = (uint64_t)(kib_of("MemTotal:") / page_kib) + (uint64_t)(kib_of("SwapTotal:") / page_kib);
  int eligible = CALL(score, W, scheme), slot = CALL(select, W, scheme);
  uint32_t number = CALL(decision_write, W, scheme, eligible, slot);
  for (int i = 0; print_record && i < L_DECISION_BYTES; ++i) {
    printf("%02x%s", *at(L_DECISIONS + number % L_DECISIONS_MAX * L_DECISION_BYTES + i), i == L_DECISION_BYTES - 1 ? "\n" : "");
  }
  return slot;
}

// As `4711 (name)`, without what would move a terminal's cursor.
static const char *told(int slot) {
  static char text[SMALL];
  snprintf(text, sizeof text, "%u (%.*s)", *u32_at(cell(L_C_ID, slot, 4)), L_COMM_BYTES, at(cell(L_C_COMM, slot, L_COMM_BYTES)));
  for (char *c = text; *c; ++c) if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
  return text;
}

// A kill: hold the process, read and choose again, and only then signal. One is in flight at a time: its end is waited for.
static void kill_one(int slot) {
  char pid[SMALL];
  double start = *f64_at(cell(L_C_START_TICKS, slot, 8));
  snprintf(pid, sizeof pid, "%u", *u32_at(cell(L_C_ID, slot, 4)));
  int pidfd = syscall(PIDFD_OPEN, atoi(pid), 0);
  if (pidfd < 0) return;
  struct pollfd end = {.fd = pidfd, .events = POLLIN};
  bool same = stage(pid) && *field(L_FIELD_START_TIME_TICKS) == start && CALL(table_refresh, W, slot) == slot && choose() == slot;
  if (same && !syscall(PIDFD_SEND_SIGNAL, pidfd, SIGTERM, NULL, 0) && !poll(&end, 1, TERM_MS)) {
    syscall(PIDFD_SEND_SIGNAL, pidfd, SIGKILL, NULL, 0);
    poll(&end, 1, -1);
  }
  close(pidfd);
  poll(NULL, 0, SETTLE_MS); // What was freed shows a moment later.
}

static void guard(bool enforce) {
  printf("guarding%s\n", enforce ? "" : ": dry, kills nobody without --enforce");
  for (;; poll(NULL, 0, enforce ? LOOK_MS : 20 * LOOK_MS)) {
    // Swap is left out: where there is some, this acts early. Without a reading nobody is killed.
    double available = kib_of("MemAvailable:"), basis = available + kib_of("AnonPages:");
    if (available <= 0 || available * 100 > SHORT_PERCENT * basis || read_tasks() < 0) continue;
    int slot = choose();
    if (slot < 0) continue;
    printf("%.0f KiB available: %s %s\n", available, enforce ? "SIGTERM to" : "would choose", told(slot));
    if (enforce) kill_one(slot);
  }
}

int main(int count, char **arguments) {
  bool guarding = false, enforce = false;
  for (int i = 1; i < count; ++i) {
    const char *option = arguments[i], *value = arguments[i + 1];
    if (!strcmp(option, "--guard")) guarding = true;
    else if (!strcmp(option, "--enforce")) enforce = true;
    else if (!strcmp(option, "--record")) print_record = true;
    else if (!strcmp(option, "--proc") && value) root = arguments[++i];
    else if (!strcmp(option, "--scheme") && value) for (scheme = L_SCHEMES, ++i; scheme-- && strcmp(SCHEMES[scheme], value););
    else scheme = -1;
  }
  if (scheme < 0 || enforce > guarding || (guarding && strcmp(root, "/proc"))) {
    return fputs("badness-small [--scheme NAME] [--record] [--proc DIR | --guard [--enforce]]\n", stderr), 2;
  }
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  struct dirent **entries;
  int tasks = scandir(root, &entries, is_pid, NULL);
  for (int i = 0; i < tasks; ++i) free(entries[i]);
  if (tasks < 0 || engine_open(tasks + MORE_TASKS)) return fputs("badness-small: no /proc, or no room for the engine\n", stderr), 5;
  free(entries);
  if (guarding) find_own(), guard(enforce);
  if (read_tasks() < 0) return 5;
  int slot = choose(), rows = CALL(rank, scheme, tasks);
  for (int i = 0; i < rows; ++i) printf("%d %.0f %s\n", i + 1, *f64_at(cell(L_C_POINTS, ordered(i), 8)), told(ordered(i)));
  return printf("victim %s\n", slot < 0 ? "none" : told(slot)), 0;
}
