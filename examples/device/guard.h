// Watches memory, and has the worst task killed when it runs short: dry unless asked to enforce.
#pragma once
#include <stdbool.h>

typedef struct {
  int scheme;
  bool enforce, record;
  // Percent of memory and of swap, at SIGTERM and at SIGKILL.
  double memory[2], swap[2];
} options_t;

// Scores the current snapshot and selects in it. The slot of the victim, or L_E_*; keeps (and with `record` prints) the record.
int decide(const options_t *options, double total_pages);
// Prints `comm`, without what would move a terminal's cursor.
const char *comm_of(int slot);
// Never returns but for a reason to end: an exit code.
int guard_run(const options_t *options);
