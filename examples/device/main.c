// badness-device: the engine of badness without JavaScript. Ranks the tasks of this machine, or guards it.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"
#include "guard.h"
#include "proc.h"

enum { MORE_TASKS = 1024, BAD_USE = 2, NO_PROC = 5, MAX_DISCOUNT = 4 };

static const char *const SCHEMES[] = {L_SCHEME_NAMES};
static const char USAGE[] =
    "badness-device [--proc DIR] [--scheme NAME] [--record]\n"
    "badness-device --guard [--enforce] [-m TERM[,KILL]] [-s TERM[,KILL]] [--scheme NAME] [--record]\n\n"
    "Ranks the tasks of this machine, worst first: rank, pid, points, name. With --guard watches memory and says who\n"
    "would be killed when it runs short; with --enforce kills. -m, -s: percent of memory and of swap at SIGTERM and\n"
    "at SIGKILL, by default 10,5 both. --record prints the decision record as hexadecimal bytes.\n";

const char *comm_of(int slot) {
  static char name[L_COMM_BYTES + 1];
  memcpy(name, at(cell(L_C_COMM, slot, L_COMM_BYTES)), L_COMM_BYTES);
  for (char *c = name; *c; ++c) if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
  return name;
}

int decide(const options_t *options, double total_pages) {
  memset(at(W + L_W_PARAMETERS), 0, L_P_RECORDED_BYTES);
  *f64_at(W + L_P_MAX_DISCOUNT) = MAX_DISCOUNT;
  *u32_at(W + L_P_AGE) = L_AGE_SPARE_OLD;
  *u32_at(W + L_P_ADJ) = L_ADJ_NEVER_ONLY;
  *f64_at(W + L_P_TOTAL_PAGES) = total_pages;
  int eligible = CALL(score, W, options->scheme);
  int slot = CALL(select, W, options->scheme);
  uint32_t sequence = CALL(decision_write, W, options->scheme, eligible, slot);
  if (!options->record) return slot;
  const uint8_t *record = at(L_DECISIONS + sequence % L_DECISIONS_MAX * L_DECISION_BYTES);
  for (int i = 0; i < L_DECISION_BYTES; ++i) printf("%02x", record[i]);
  putchar('\n');
  return slot;
}

static int rank(const options_t *options, bool live) {
  memory_t memory;
  reading_t reading;
  if (!proc_memory(&memory) || !proc_read(&reading, NULL, live ? getpid() : 0)) return NO_PROC;
  int slot = decide(options, proc_total_pages(&memory));
  int rows = CALL(rank, options->scheme, reading.tasks);
  for (int i = 0; i < rows; ++i) {
    int row = ordered(i);
    printf("%d %u %.0f %s\n", i + 1, *u32_at(cell(L_C_ID, row, 4)), *f64_at(cell(L_C_POINTS, row, 8)), comm_of(row));
  }
  if (slot >= 0) printf("victim %u (%s)\n", *u32_at(cell(L_C_ID, slot, 4)), comm_of(slot));
  else puts(slot == L_E_IN_FLIGHT ? "victim none: one is dying already" : "victim none: nobody may be chosen");
  if (reading.left) fprintf(stderr, "%d tasks did not fit\n", reading.left);
  return 0;
}

static int usage(const char *what) {
  fprintf(stderr, "badness-device: %s\n%s", what, USAGE);
  return BAD_USE;
}

// `10,5` or `10`, which means half of it at SIGKILL.
static bool percents(const char *text, double pair[2]) {
  char *end;
  if (!text) return false;
  pair[0] = strtod(text, &end);
  pair[1] = pair[0] / 2;
  if (end != text && *end == ',') pair[1] = strtod(text = end + 1, &end);
  return end != text && !*end && pair[0] > 0 && pair[0] <= 100 && pair[1] >= 0 && pair[1] <= pair[0];
}

static int scheme_named(const char *name) {
  for (int i = 0; i < L_SCHEMES; ++i) if (name && !strcmp(name, SCHEMES[i])) return i;
  return -1;
}

int main(int count, char **arguments) {
  options_t options = {.scheme = L_SCHEME_BADNESS, .memory = {10, 5}, .swap = {10, 5}};
  const char *proc = NULL;
  bool guard = false;
  for (int i = 1; i < count; ++i) {
    const char *option = arguments[i], *value = arguments[i + 1];
    if (!strcmp(option, "--guard")) guard = true;
    else if (!strcmp(option, "--enforce")) options.enforce = true;
    else if (!strcmp(option, "--record")) options.record = true;
    else if (!strcmp(option, "--help")) return fputs(USAGE, stdout), 0;
    else if (!strcmp(option, "--proc") && value) proc = value, ++i;
    else if (!strcmp(option, "--scheme")) {
      if ((options.scheme = scheme_named(value)) < 0) return usage("--scheme wants the name of a scheme (docs/schemes.md)");
      ++i;
    } else if (!strcmp(option, "-m") || !strcmp(option, "-s")) {
      if (!percents(value, option[1] == 'm' ? options.memory : options.swap)) {
        return usage("-m and -s want percent, as 10,5: above 0 at SIGTERM, and at most that at SIGKILL");
      }
      ++i;
    } else return usage(option);
  }
  if (options.enforce && !guard) return usage("--enforce goes with --guard: ranking kills nobody");
  // The pids of another /proc mean other processes, or nobody.
  if (guard && proc) return usage("--guard watches this machine: --proc is for looking");
  setvbuf(stdout, NULL, guard ? _IOLBF : _IOFBF, BUFSIZ);
  int tasks = proc_open(proc ? proc : "/proc");
  if (tasks < 0) return fprintf(stderr, "badness-device: expected a Linux /proc at %s\n", proc ? proc : "/proc"), NO_PROC;
  if (engine_open(tasks + MORE_TASKS) || !proc_reserve()) return fputs("badness-device: no room for the engine\n", stderr), 1;
  return guard ? guard_run(&options) : rank(&options, !proc);
}
