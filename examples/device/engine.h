// The engine in C: what wasm2c makes of dist/badness.baseline.wasm, the numbers of its ABI, and its one memory.
#pragma once
#include <stdint.h>
#include <string.h>

#include "abi.h"
#include "badness.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "cells are little-endian: a big-endian host has to swap them"
#endif

enum { W = L_WINDOWS }; // The window of the one thread.

extern Z_badness_instance_t engine;
extern uint32_t capacity;

// A function of the engine; answers below 0 are L_E_*.
#define CALL(name, ...) ((int32_t)Z_badnessZ_##name(&engine, ##__VA_ARGS__))

// Sizes the memory for so many tasks, once and for all, and claims it. 0, or −1.
int engine_open(uint32_t tasks);

static inline uint8_t *at(uint32_t address) { return engine.w2c_memory.data + address; }
static inline uint32_t *u32_at(uint32_t address) { return (uint32_t *)at(address); }
static inline double *f64_at(uint32_t address) { return (double *)at(address); }

// A cell of the staged task.
static inline double *field(int index) { return f64_at(W + L_W_FIELDS + index * L_FIELD_BYTES); }

static inline uint32_t snapshot_bytes(void) { return L_SNAPSHOT_HEADER_BYTES + L_COLUMNS_BYTES * capacity; }

// The cell of a slot in a column of the current snapshot.
static inline uint32_t cell(uint32_t column, int slot, uint32_t width) {
  uint32_t snapshot = L_TASKS + *u32_at(L_H_CURRENT) * snapshot_bytes();
  return snapshot + L_SNAPSHOT_HEADER_BYTES + column * capacity + slot * width;
}

// Row `index` of the order that rank wrote.
static inline int ordered(int index) {
  return *u32_at(L_TASKS + 2 * snapshot_bytes() + L_X_ORDER * capacity + index * 4);
}
