// The little of a runtime that translated code asks for: one memory, mapped once at its final size, and an end for traps.
// Debian's own would reserve gigabytes of address space, and handle signals.
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

Z_badness_instance_t engine;
uint32_t capacity;
static uint32_t pages;

bool wasm_rt_is_initialized(void) { return true; }

// Types matter to calls through tables, which the engine does not make.
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) { return params + results; }

void wasm_rt_trap(wasm_rt_trap_t trap) {
  fprintf(stderr, "badness-device: the engine trapped (%d), which it must not: please report it\n", trap);
  abort();
}

// Pages that nobody touches are never resident: the windows of other threads, rows that no task needs.
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial, uint32_t most) {
  size_t bytes = (size_t)pages * L_WASM_PAGE_BYTES;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  uint8_t *data = initial <= pages ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) : MAP_FAILED;
  if (data == MAP_FAILED) data = NULL;
  *memory = (wasm_rt_memory_t){.data = data, .pages = pages, .max_pages = most, .size = bytes};
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { munmap(memory->data, memory->size); }

int engine_open(uint32_t tasks) {
  if (tasks < L_TASKS_MIN || tasks > L_TASKS_MAX) return -1;
  capacity = (tasks + L_COLUMN_ALIGN - 1) / L_COLUMN_ALIGN * L_COLUMN_ALIGN;
  uint32_t bytes = L_TASKS + 2 * snapshot_bytes() + L_SCRATCH_BYTES * capacity;
  pages = (bytes + L_WASM_PAGE_BYTES - 1) / L_WASM_PAGE_BYTES;
  Z_badness_init_module();
  Z_badness_instantiate(&engine);
  if (!engine.w2c_memory.data || CALL(abi_version) != L_ABI_VERSION) return -1;
  *u32_at(L_H_CAPACITY) = capacity;
  *u32_at(L_H_ABI) = L_ABI_VERSION;
  *u32_at(L_H_MAGIC) = L_MAGIC;
  return 0;
}
