// The translated engine for the tests of Node: engine IN OUT reads calls from the pipe IN and answers on OUT.
//
//   o TASKS                        opens one more engine
//   w ENGINE ADDRESS LENGTH bytes  writes into its memory
//   c ENGINE NAME ARGUMENTS        calls: the answer, and every block of memory that the call has changed
//
// All numbers are little-endian u32; NAME is NAME_BYTES long, and an argument is an i32 and an f64, of which the function
// takes the one it wants. Ends with its input.
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

enum { ENGINES = 8192, BLOCK = 4096, NAME_BYTES = 32, ARGUMENTS = 8 };

typedef struct __attribute__((packed)) { int32_t i; double f; } argument_t;

static struct { Z_badness_instance_t engine; uint8_t *seen; } engines[ENGINES];
static uint32_t opened;
static FILE *in, *out;

static void fail(const char *why) {
  fprintf(stderr, "native engine: %s\n", why);
  exit(1);
}

static void take(void *to, size_t bytes) {
  if (fread(to, 1, bytes, in) != bytes) fail("the input ends in the middle");
}

static uint32_t number(void) {
  uint32_t value;
  take(&value, sizeof value);
  return value;
}

static void tell(uint32_t value) { fwrite(&value, sizeof value, 1, out); }

// functions.h has a line for each function of the engine, made from what wasm2c declares.
static int32_t call(Z_badness_instance_t *e, const char *name, const argument_t *a) {
#define F(function, ...) if (!strcmp(name, #function)) return Z_badnessZ_##function(__VA_ARGS__);
#include "functions.h"
  fail("no such function");
  return 0;
}

static void open_engine(void) {
  uint32_t tasks = number();
  if (opened == ENGINES || engine_open(tasks)) fail("no more engines");
  engines[opened].engine = engine;
  engines[opened].seen = calloc(engine.w2c_memory.size, 1);
  memset(engine.w2c_memory.data, 0, BLOCK); // The header is written by the test.
  opened += 1;
}

// What Node writes is no news to it.
static void write_memory(void) {
  uint32_t index = number(), address = number(), length = number();
  wasm_rt_memory_t *memory = &engines[index].engine.w2c_memory;
  if (index >= opened || address + length > memory->size) fail("a write beyond the memory");
  take(memory->data + address, length);
  memcpy(engines[index].seen + address, memory->data + address, length);
}

static void answer(void) {
  char name[NAME_BYTES];
  argument_t arguments[ARGUMENTS];
  uint32_t index = number();
  take(name, sizeof name);
  take(arguments, sizeof arguments);
  if (index >= opened) fail("no such engine");
  Z_badness_instance_t *one = &engines[index].engine;
  tell(call(one, name, arguments));
  for (uint32_t at = 0; at < one->w2c_memory.size; at += BLOCK) {
    uint8_t *now = one->w2c_memory.data + at, *seen = engines[index].seen + at;
    if (!memcmp(now, seen, BLOCK)) continue;
    memcpy(seen, now, BLOCK);
    tell(at);
    fwrite(now, BLOCK, 1, out);
  }
  tell(UINT32_MAX);
  fflush(out);
}

int main(int count, char **paths) {
  if (count != 3 || !(in = fopen(paths[1], "r")) || !(out = fopen(paths[2], "w"))) fail("wants two pipes");
  for (int what; (what = getc(in)) != EOF;) {
    if (what == 'o') open_engine();
    else if (what == 'w') write_memory();
    else if (what == 'c') answer();
    else fail("not understood");
  }
  return 0;
}
