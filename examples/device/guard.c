#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "proc.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

enum { NONE, TERM, KILL };
typedef enum { RELEASED, GONE, REFUSED, STUCK } end_t;
static const char *const ENDS[] = {"released", "gone", "refused", "stuck"};
enum { TERM_MS = 3000, RAWIO_MS = 200, STUCK_MS = 10000, EXIT_MS = 1000, LOOK_MS = 20 };
// What was freed shows a moment later; as long as nobody takes more, that moment is waited for.
enum { SETTLE_MS = 250, TAKEN_KIB = 1024 };
enum { SLEEP_LEAST_MS = 20, SLEEP_MOST_MS = 1000, DRY_MS = 60000, FUTILE_MS = 1000, FUTILE_MOST_MS = 30000 };
// No machine has been seen to fill memory faster: while this takes to the threshold, it may sleep.
enum { FILL_KIB_MS = 2048 };
enum { LINE = 64, STUCK_MOST = 16, THREADS = 256, SWAP_TINY = 100 };
enum { UNWATCHABLE = 13 };

static uint32_t own[LINE];
static int own_count;
// Whom SIGKILL did not end: set aside, so that another is chosen.
static struct { uint32_t pid; double start; } stuck[STUCK_MOST];
static int stuck_count;
// A round that can do nothing waits longer each time.
static int64_t futile_ms = FUTILE_MS;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms) {
  poll(NULL, 0, ms);
}

static bool is_own(uint32_t pid) {
  for (int i = 0; i < own_count; ++i) if (own[i] == pid) return true;
  return false;
}

// What excludes the staged task here, besides what the engine sees for itself.
static uint32_t exempt(void) {
  uint32_t pid = *field(L_FIELD_TGID), flags = is_own(pid) ? L_TASK_SELF : 0;
  if (geteuid() && *field(L_FIELD_UID) != geteuid()) flags |= L_TASK_OUTSIDE; // Not ours to signal.
  for (int i = 0; i < stuck_count && i < STUCK_MOST; ++i) {
    if (stuck[i].pid == pid && stuck[i].start == *field(L_FIELD_START_TIME_TICKS)) flags |= L_TASK_MEMDIE;
  }
  return flags;
}

// The worst level at which memory, and swap where there is enough of it to count, have both fallen.
static int level_of(const options_t *options, const memory_t *m) {
  double basis = (double)m->available_kib + m->anon_kib;
  bool swap_counts = m->swap_total_kib * SWAP_TINY > m->total_kib;
  for (int level = KILL; level > NONE; --level) {
    bool swap = !swap_counts || m->swap_free_kib * 100.0 <= options->swap[level - 1] * m->swap_total_kib;
    if (swap && m->available_kib * 100.0 <= options->memory[level - 1] * basis) return level;
  }
  return NONE;
}

// Memory cannot be filled to the threshold in this time.
static int64_t pause_ms(const options_t *options, const memory_t *m) {
  double basis = (double)m->available_kib + m->anon_kib;
  double ms = (m->available_kib - options->memory[TERM - 1] / 100 * basis) / FILL_KIB_MS;
  return ms < SLEEP_LEAST_MS ? SLEEP_LEAST_MS : ms > SLEEP_MOST_MS ? SLEEP_MOST_MS : (int64_t)ms;
}

// Read, scored and selected: whoever would go now.
static int choose(const options_t *options, const memory_t *memory) {
  reading_t reading;
  own_count = proc_own_line(own, LINE);
  if (!proc_read(&reading, exempt, 0)) return L_E_FORMAT;
  if (reading.left) fprintf(stderr, "%d tasks do not fit: started later than this guard; restart it\n", reading.left);
  return decide(options, proc_total_pages(memory));
}

// Holds the process that a pid means, reads it again, and asks whether it would still be chosen. What is read after the
// pidfd was opened is of that process, or it has ended and no signal reaches anybody. The pidfd, or −errno.
static int hold(const options_t *options, const memory_t *memory, int slot, uint32_t pid, double start) {
  if (pid <= L_PID_INIT || is_own(pid)) return -EPERM;
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return -errno;
  bool same = proc_stage(pid) && *field(L_FIELD_START_TIME_TICKS) == start;
  if (same) {
    *field(L_FIELD_FLAGS) = (uint32_t)*field(L_FIELD_FLAGS) | exempt();
    same = CALL(table_refresh, W, slot) == slot && decide(options, proc_total_pages(memory)) == slot;
  }
  if (same) return pidfd;
  close(pidfd);
  return -ESRCH;
}

// The end comes sooner on a busy machine when nobody of it has to wait for a processor.
static void hurry(uint32_t pid) {
  static uint32_t tids[THREADS];
  int count = proc_threads(pid, tids, THREADS);
  for (int i = 0; i < count; ++i) setpriority(PRIO_PROCESS, tids[i], -20);
}

static bool ends_within(int pidfd, int ms) {
  struct pollfd one = {.fd = pidfd, .events = POLLIN};
  return poll(&one, 1, ms) > 0;
}

// SIGTERM, SIGKILL, and until the memory is back.
static end_t kill_held(const options_t *options, int pidfd, uint32_t pid, int level, bool rawio) {
  memory_t memory;
  int signal = level == KILL && !rawio ? SIGKILL : SIGTERM;
  int64_t began = now_ms(), due = began + (level == KILL ? RAWIO_MS : TERM_MS);
  for (int sent = 0;;) {
    if (sent != signal) {
      if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)) return errno == ESRCH ? GONE : REFUSED;
      printf("%s to %u\n", signal == SIGKILL ? "SIGKILL" : "SIGTERM", pid);
      sent = signal;
      if (signal == SIGKILL) hurry(pid), due = now_ms() + STUCK_MS;
    }
    if (ends_within(pidfd, LOOK_MS)) return RELEASED;
    bool is_due = now_ms() >= due;
    // Its memory is taken already; who has exited is not counted twice either.
    if (signal == SIGKILL && !syscall(SYS_process_mrelease, pidfd, 0)) return ends_within(pidfd, EXIT_MS), RELEASED;
    if (signal == SIGKILL && is_due) return STUCK;
    bool worse = proc_memory(&memory) && level_of(options, &memory) == KILL;
    if (is_due || (worse && now_ms() >= began + (rawio ? RAWIO_MS : 0))) signal = SIGKILL;
  }
}

static int64_t futile(void) {
  int64_t wait = futile_ms;
  futile_ms = wait * 2 > FUTILE_MOST_MS ? FUTILE_MOST_MS : wait * 2;
  return wait;
}

// How long to wait after a kill that ended so.
static int64_t ended(uint32_t pid, double start, end_t end) {
  printf("%u: %s\n", pid, ENDS[end]);
  if (end == REFUSED) return futile();
  if (end == STUCK) {
    int place = stuck_count++ % STUCK_MOST;
    stuck[place].pid = pid;
    stuck[place].start = start;
  }
  futile_ms = FUTILE_MS;
  return end == RELEASED ? SETTLE_MS : 0;
}

// One round. How long to wait before the next.
static int64_t round_of(const options_t *options, const memory_t *memory, int level) {
  int slot = choose(options, memory);
  if (slot < 0) return puts("nobody may be chosen"), futile();
  uint32_t pid = *u32_at(cell(L_C_ID, slot, 4));
  double start = *f64_at(cell(L_C_START_TICKS, slot, 8)), points = *f64_at(cell(L_C_POINTS, slot, 8));
  printf("%s at %lld KiB available: %s %u (%s), %.0f points\n", level == KILL ? "SIGKILL" : "SIGTERM",
         (long long)memory->available_kib, options->enforce ? "chosen" : "would choose", pid, comm_of(slot), points);
  if (!options->enforce) return DRY_MS;
  int pidfd = hold(options, memory, slot, pid, start);
  if (pidfd == -ESRCH) return printf("%u: gone, or no longer the worst\n", pid), 0;
  if (pidfd < 0) return printf("%u: %s\n", pid, strerror(-pidfd)), futile();
  bool rawio = *u32_at(cell(L_C_FLAGS, slot, 4)) & L_TASK_CAP_RAWIO;
  end_t end = kill_held(options, pidfd, pid, level, rawio);
  close(pidfd);
  return ended(pid, start, end);
}

// Whatever could keep it from acting is said at the start.
static const char *unfit(const options_t *options) {
  memory_t memory;
  if (!proc_memory(&memory) || memory.available_kib < 0 || memory.anon_kib < 0) return "meminfo does not say what is available";
  if (!options->enforce) return NULL;
  if (!proc_is_ours()) return "/proc is of another pid namespace: its pids mean others here";
  int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
  if (pidfd < 0) return "no pidfd: --enforce needs Linux 5.3";
  close(pidfd);
  return NULL;
}

// Nobody who does not read what it says can stop it: such lines are lost.
static void never_wait_for_readers(void) {
  signal(SIGPIPE, SIG_IGN);
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

// What is touched stays in memory; pages that no task needs are never touched. The first choice is not the slow one.
static void warm_up(const options_t *options) {
  memory_t memory;
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) printf("not locked in memory: %s\n", strerror(errno));
  memset(at(L_TASKS), 0, 2 * snapshot_bytes() + L_SCRATCH_BYTES * capacity);
  if (proc_memory(&memory)) choose(options, &memory);
  printf("guarding: SIGTERM at %.2f %% memory and %.2f %% swap, SIGKILL at %.2f %% and %.2f %%, room for %u tasks%s\n",
         options->memory[0], options->swap[0], options->memory[1], options->swap[1], capacity,
         options->enforce ? "" : "; dry: kills nobody without --enforce");
}

int guard_run(const options_t *options) {
  const char *why = unfit(options);
  if (why) return fprintf(stderr, "badness-device: %s\n", why), UNWATCHABLE;
  never_wait_for_readers();
  warm_up(options);
  int dry_level = NONE;
  int64_t not_before = 0, least_kib = 0;
  for (;;) {
    memory_t memory;
    // Fail closed: without a reading nobody is killed.
    if (!proc_memory(&memory) || memory.available_kib < 0 || memory.anon_kib < 0) {
      sleep_ms(SLEEP_MOST_MS);
      continue;
    }
    int level = level_of(options, &memory);
    // A dry decision for SIGTERM does not stand for one with SIGKILL.
    bool is_due = now_ms() >= not_before || memory.available_kib < least_kib || (dry_level == TERM && level == KILL);
    if (level != NONE && is_due) {
      int64_t wait = round_of(options, &memory, level);
      not_before = now_ms() + wait;
      dry_level = options->enforce ? NONE : level;
      least_kib = wait == SETTLE_MS && proc_memory(&memory) ? memory.available_kib - TAKEN_KIB : 0;
    } else {
      // Memory is not short any more: who found nothing to do may try at once when it is again.
      if (level == NONE && options->enforce) not_before = 0, futile_ms = FUTILE_MS;
      sleep_ms(level == NONE ? pause_ms(options, &memory) : LOOK_MS);
    }
  }
}
