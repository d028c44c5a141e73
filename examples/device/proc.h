// Bytes of /proc → task table, as src/linux/ reads them: the same rows, in the same order.
#pragma once
#include <stdint.h>
#include <stdbool.h>

// −1 for what the kernel does not say; no swap is 0.
typedef struct {
  int64_t total_kib, available_kib, anon_kib, swap_total_kib, swap_free_kib;
} memory_t;

typedef struct {
  int tasks, gone, left;
} reading_t;

// Whether its pids are those that this process can signal: not those of another pid namespace.
bool proc_is_ours(void);
// Opens the folder that is /proc, and says how many tasks it has now. Below 0: there is none.
int proc_open(const char *root);
// Room for the pids of as many tasks as the engine has. False without.
bool proc_reserve(void);
bool proc_memory(memory_t *memory);
uint64_t proc_total_pages(const memory_t *memory);
// Reads everybody in full into a new snapshot and makes it the current one. `flags` says what to add for the staged task;
// `except` is a pid to leave out, 0 for nobody.
bool proc_read(reading_t *reading, uint32_t (*flags)(void), uint32_t except);
// Stages one task. False when it is gone.
bool proc_stage(uint32_t pid);
// This process and its ancestors, at most `most`. Returns how many.
int proc_own_line(uint32_t *pids, int most);
// The threads of a task, at most `most`.
int proc_threads(uint32_t pid, uint32_t *tids, int most);
