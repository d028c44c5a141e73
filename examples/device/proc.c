#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"

enum { PATH = 64, FOLDER = 24, SMALL = 512, MEMINFO = 8192, THREADS = 256, AUXV_PAGESZ = 6, AUXV_WORDS = 128 };
enum { SEVEN_DIGITS = 1000000 }; // As many as L_PID_MAX has.

static int root = -1, meminfo = -1;
static uint32_t page_size, *pids;

// Reads a file from the start. Bytes read, −1 with errno.
static ssize_t read_all(const char *folder, const char *name, void *to, size_t size) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  ssize_t got = 0;
  while (length < size && (got = read(fd, (char *)to + length, size - length)) > 0) length += got;
  close(fd);
  return got < 0 ? -1 : (ssize_t)length;
}

// Into the engine's text window.
static ssize_t read_text(const char *folder, const char *name) {
  return read_all(folder, name, at(W + L_W_TEXT), L_TEXT_BYTES);
}

// The order of names, in which Node lists a folder: 1, 10, 100, 11, 2.
static int by_name(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other, x = a, y = b;
  while (x < SEVEN_DIGITS) x *= 10;
  while (y < SEVEN_DIGITS) y *= 10;
  return x != y ? (x < y ? -1 : 1) : (a > b) - (a < b);
}

// The numbers among the names of a folder, in the order of names; without `to` only counts them. Allocates nothing.
static int list(const char *path, uint32_t *to, int most) {
  static _Alignas(8) char names[4096];
  int count = 0, fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  for (long got; (got = syscall(SYS_getdents64, fd, names, sizeof names)) > 0;) {
    for (long next = 0; next < got;) {
      struct { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; } *entry = (void *)(names + next);
      next += entry->length;
      if (entry->name[0] < '1' || entry->name[0] > '9') continue;
      if (to && count < most) to[count] = strtoul(entry->name, NULL, 10);
      count += 1;
    }
  }
  close(fd);
  if (to) qsort(to, count < most ? count : most, sizeof *to, by_name);
  return count;
}

static uint32_t read_page_size(void) {
  unsigned long words[AUXV_WORDS];
  ssize_t length = read_all("self", "auxv", words, sizeof words);
  for (ssize_t i = 0; i + 1 < length / (ssize_t)sizeof *words; i += 2) {
    if (words[i] == AUXV_PAGESZ) return words[i + 1];
  }
  return sysconf(_SC_PAGESIZE);
}

int proc_open(const char *path) {
  root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  meminfo = root < 0 ? -1 : openat(root, "meminfo", O_RDONLY | O_CLOEXEC);
  if (meminfo < 0) return -1;
  page_size = read_page_size();
  return list(".", NULL, 0);
}

bool proc_is_ours(void) {
  char text[PATH] = "";
  return readlinkat(root, "self", text, sizeof text - 1) > 0 && strtol(text, NULL, 10) == getpid();
}

bool proc_reserve(void) {
  pids = mmap(NULL, capacity * sizeof *pids, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pids != MAP_FAILED;
}

// `MemTotal:       24684092 kB`; −1 without that line.
static int64_t kib_of(const char *text, const char *key) {
  size_t length = strlen(key);
  for (const char *line = text; line; line = strchr(line, '\n'), line += line != NULL) {
    if (!strncmp(line, key, length) && line[length] == ':') return strtoll(line + length + 1, NULL, 10);
  }
  return -1;
}

bool proc_memory(memory_t *memory) {
  static char text[MEMINFO];
  ssize_t length = pread(meminfo, text, sizeof text - 1, 0);
  if (length <= 0) return false;
  text[length] = 0;
  *memory = (memory_t){
      .total_kib = kib_of(text, "MemTotal"),
      .available_kib = kib_of(text, "MemAvailable"),
      .anon_kib = kib_of(text, "AnonPages"),
      .swap_total_kib = kib_of(text, "SwapTotal"),
      .swap_free_kib = kib_of(text, "SwapFree"),
  };
  if (memory->swap_total_kib < 0) memory->swap_total_kib = 0;
  // Containers with a meminfo of their own have been seen to have more available than there is.
  if (memory->available_kib > memory->total_kib) memory->available_kib = memory->total_kib;
  return memory->total_kib > 0;
}

uint64_t proc_total_pages(const memory_t *memory) {
  return memory->total_kib * 1024 / page_size + memory->swap_total_kib * 1024 / page_size;
}

// A status beyond the window, without the list of groups that makes it so long. Bytes in the window.
static ssize_t read_without_groups(const char *folder) {
  static const char groups[] = "\nGroups:";
  char path[PATH], block[SMALL];
  uint8_t *text = at(W + L_W_TEXT);
  snprintf(path, sizeof path, "%s/status", folder);
  int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
  size_t kept = 0, matched = 0;
  for (ssize_t got; fd >= 0 && (got = read(fd, block, sizeof block)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) {
      bool skipping = matched == sizeof groups - 1;
      if (skipping && block[i] != '\n') continue;
      if (skipping) matched = sizeof groups; // Nothing more is looked for.
      if (kept < L_TEXT_BYTES) text[kept++] = block[i];
      if (matched >= sizeof groups) continue;
      matched = block[i] == groups[matched] ? matched + 1 : block[i] == groups[0];
      if (matched == sizeof groups - 1) kept -= matched;
    }
  }
  if (fd >= 0) close(fd);
  return kept;
}

// Stages status, or what statm and the owner of the folder tell when it may not be read. 1 with an mm, 0 without, −1 gone.
static int stage_status(const char *folder) {
  ssize_t length = read_text(folder, "status");
  if (length == L_TEXT_BYTES) length = read_without_groups(folder);
  if (length < 0 && errno != EACCES && errno != EPERM) return -1;
  int seen = length < 0 ? L_E_SHORT : CALL(status_parse, W, length, page_size);
  if (seen >= 0) return seen & L_STATUS_HAS_MM;
  struct stat owner;
  if ((length = read_text(folder, "statm")) < 0 || fstatat(root, folder, &owner, 0)) return -1;
  CALL(statm_parse, W, length);
  *field(L_FIELD_UID) = *field(L_FIELD_EUID) = owner.st_uid;
  return *field(L_FIELD_TOTAL_VM_PAGES) > 0;
}

static bool stage_stat(const char *folder) {
  ssize_t length = read_text(folder, "stat");
  return length >= 0 && CALL(stat_parse, W, length, L_USER_HZ) >= 0;
}

// A leader that has exited shows no memory although its threads hold it: one that still runs shows it. False when gone.
static bool stage_live_thread(const char *folder) {
  static uint32_t tids[THREADS];
  double leader[L_FIELDS];
  uint8_t comm[L_COMM_BYTES];
  char path[PATH];
  memcpy(leader, field(0), sizeof leader);
  memcpy(comm, at(W + L_W_COMM), sizeof comm);
  snprintf(path, sizeof path, "%s/task", folder);
  int count = list(path, tids, THREADS);
  for (int i = 0; i < count && i < THREADS; ++i) {
    snprintf(path, sizeof path, "%s/task/%u", folder, tids[i]);
    if (!stage_stat(path)) continue;
    double stat_rss = *field(L_FIELD_STAT_RSS_PAGES);
    if (stage_status(path) <= 0) continue;
    for (int f = L_FIELD_TOTAL_VM_PAGES; f <= L_FIELD_PGTABLES_BYTES; ++f) leader[f] = *field(f);
    leader[L_FIELD_STAT_RSS_PAGES] = stat_rss;
    leader[L_FIELD_PF_FLAGS] = *field(L_FIELD_PF_FLAGS); // PF_EXITING of the leader hides nothing.
    break;
  }
  memcpy(field(0), leader, sizeof leader);
  memcpy(at(W + L_W_COMM), comm, sizeof comm);
  return count >= 0;
}

// A child of vfork runs in the memory of its parent, of which a thread sleeps meanwhile: killing it gives nothing back.
static bool is_in_vfork(void) {
  static uint32_t tids[THREADS];
  if (!((uint32_t)*field(L_FIELD_PF_FLAGS) & L_PF_FORKNOEXEC)) return false;
  char parent[FOLDER], path[PATH], text[SMALL + 1] = "", want[SMALL];
  snprintf(parent, sizeof parent, "%.0f", *field(L_FIELD_PPID));
  snprintf(want, sizeof want, "%.0f %.0f ", *field(L_FIELD_TOTAL_VM_PAGES), *field(L_FIELD_RSS_PAGES));
  if (read_all(parent, "statm", text, SMALL) < 0 || strncmp(text, want, strlen(want))) return false;
  snprintf(path, sizeof path, "%s/task", parent);
  int count = list(path, tids, THREADS);
  for (int i = 0; i < count && i < THREADS; ++i) {
    snprintf(path, sizeof path, "%s/task/%u", parent, tids[i]);
    ssize_t length = read_all(path, "stat", text, SMALL);
    text[length < 0 ? 0 : length] = 0;
    const char *end = strrchr(text, ')'); // A name may hold parentheses.
    if (end && end[1] && end[2] == 'D') return true;
  }
  return false;
}

bool proc_stage(uint32_t pid) {
  char folder[FOLDER], adj[SMALL + 1];
  snprintf(folder, sizeof folder, "%u", pid);
  memset(field(0), 0, L_FIELDS * L_FIELD_BYTES);
  if (!stage_stat(folder)) return false;
  double stat_rss = *field(L_FIELD_STAT_RSS_PAGES);
  *field(L_FIELD_RSS_PAGES) = 0;
  if ((uint32_t)*field(L_FIELD_PF_FLAGS) & L_PF_KTHREAD) {
    *field(L_FIELD_FLAGS) = L_TASK_KTHREAD | L_TASK_NO_MM;
    return true;
  }
  uint32_t flags = L_TASK_STAT_RSS;
  int mm = stage_status(folder);
  if (mm < 0) return false;
  if (!mm && *field(L_FIELD_STATE) == 'Z' && *field(L_FIELD_THREADS) > 1) {
    if (!stage_live_thread(folder)) return false;
  } else {
    *field(L_FIELD_STAT_RSS_PAGES) = stat_rss;
    if (mm) flags |= L_TASK_HAS_MM;
    if (mm && is_in_vfork()) flags |= L_TASK_VFORK;
  }
  ssize_t length = read_all(folder, "oom_score_adj", adj, SMALL);
  adj[length < 0 ? 0 : length] = 0;
  long value = strtol(adj, NULL, 10);
  *field(L_FIELD_OOM_SCORE_ADJ) = value >= L_ADJ_MIN && value <= L_ADJ_MAX ? value : 0;
  *field(L_FIELD_FLAGS) = flags;
  return true;
}

// `1804.55 3390.22`, in 1/100 s; −1 when it cannot be read.
static double uptime_ticks(void) {
  char text[SMALL + 1], *end;
  ssize_t length = read_all(".", "uptime", text, SMALL);
  if (length <= 0) return -1;
  text[length] = 0;
  unsigned long long seconds = strtoull(text, &end, 10);
  return *end == '.' ? (double)(seconds * L_USER_HZ + strtoull(end + 1, NULL, 10)) : -1;
}

bool proc_read(reading_t *reading, uint32_t (*flags)(void), uint32_t except) {
  *reading = (reading_t){0};
  if (CALL(table_begin, L_USER_HZ, page_size, uptime_ticks()) < 0) return false;
  int count = list(".", pids, capacity);
  if (count > (int)capacity) reading->left = count - capacity, count = capacity;
  for (int i = 0; i < count; ++i) {
    if (pids[i] == except) continue;
    bool staged = proc_stage(pids[i]);
    if (staged && flags) *field(L_FIELD_FLAGS) = (uint32_t)*field(L_FIELD_FLAGS) | flags();
    if (staged && CALL(table_put, W) >= 0) reading->tasks += 1;
    else reading->gone += 1;
  }
  CALL(table_publish);
  return count >= 0;
}

int proc_own_line(uint32_t *own, int most) {
  int count = 0;
  char folder[FOLDER];
  for (uint32_t pid = getpid(); pid > L_PID_INIT && count < most; pid = *field(L_FIELD_PPID)) {
    own[count++] = pid;
    snprintf(folder, sizeof folder, "%u", pid);
    if (!stage_stat(folder)) break;
  }
  return count;
}

int proc_threads(uint32_t pid, uint32_t *tids, int most) {
  char path[PATH];
  snprintf(path, sizeof path, "%u/task", pid);
  int count = list(path, tids, most);
  return count < most ? count : most;
}
