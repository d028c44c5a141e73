/*
 * score FILE plain|sse|avx2: the contestants in C of the scoring bench. Reads the tasks that score.mjs wrote, then for
 * every line on standard input does one score and select over all of them and answers one line:
 *
 *     {"us": CPU time, "victim": slot, "sum": sum of points, "hash": order-sensitive hash of points}
 *
 * plain  what a kernel of 2004 did, task by task over an array of structures, with the digit-by-digit root.
 * sse    the formula over the engine's own columns, by hand, 128 bits wide (SSE4.1): what WebAssembly can express.
 * avx2   the same with 256 bits, which WebAssembly cannot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#ifdef __SSE4_1__
#include <immintrin.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

/* The header of the file: everything that score.mjs knows, so that no number is written twice. */
struct header {
  uint32_t count, hz_shift, uptime_s, scoreless, root, rawio, origin;
  uint32_t pad[9];
};

/* What the classic formula looks at, side by side: kinder to the cache than a task_struct ever was. */
struct task {
  uint64_t total_vm, utime, stime, start_s;
  uint32_t flags;
  int32_t nice;
};

static struct header head;
static struct task *tasks;
static const double *total_vm, *utime, *stime, *factor;
static const float *cpu_div;
static const int32_t *start_s, *nices;
static const uint32_t *flags_of;
static double *points;

/* ---- plain ---------------------------------------------------------------------------------------------------- */

/* Integer root, two bits of x to one of the root, from bit 30 downwards. */
static uint64_t digit_root(uint64_t x) {
  uint64_t place = 1ul << 30, root = 0;
  while (place > x) place >>= 2;
  for (; place != 0; place >>= 2) {
    uint64_t trial = root + place;
    root >>= 1;
    if (x >= trial) {
      x -= trial;
      root += place;
    }
  }
  return root;
}

static uint64_t plain_points(const struct task *p) {
  if (p->flags & head.scoreless) return 0;
  uint64_t value = p->total_vm;
  uint64_t cpu = (p->utime + p->stime) >> (head.hz_shift + 3);
  uint64_t run = head.uptime_s >= p->start_s ? (head.uptime_s - p->start_s) >> 10 : 0;
  uint64_t divisor = digit_root(cpu);
  if (divisor) value /= divisor;
  divisor = digit_root(digit_root(run));
  if (divisor) value /= divisor;
  if (p->nice > 0) value *= 2;
  if (p->flags & head.root) value /= 4;
  if (p->flags & head.rawio) value /= 4;
  return value;
}

/* The largest; the first of equals, as the list was walked. Writes the points too, as the others do. */
static int64_t plain(void) {
  int64_t chosen = -1;
  uint64_t most = 0;
  for (uint32_t i = 0; i < head.count; ++i) {
    uint64_t value = plain_points(&tasks[i]);
    points[i] = (double)value;
    if (tasks[i].flags & head.origin) return i;
    if (value > most) {
      most = value;
      chosen = i;
    }
  }
  return chosen;
}

/* ---- 128 bits --------------------------------------------------------------------------------------------------- */

#ifdef __SSE4_1__
/* The same four loads, two roots and a division a task as the engine's fast form, over the same columns. */
static void sse_score(void) {
  const __m128i uptime = _mm_set1_epi32((int)head.uptime_s);
  const __m128 one = _mm_set1_ps(1);
  for (uint32_t i = 0; i < head.count; i += 4) {
    __m128i ran = _mm_srai_epi32(_mm_sub_epi32(uptime, _mm_load_si128((const __m128i *)(start_s + i))), 10);
    __m128 run = _mm_floor_ps(_mm_sqrt_ps(_mm_sqrt_ps(_mm_cvtepi32_ps(ran))));
    run = _mm_mul_ps(_mm_load_ps(cpu_div + i), _mm_max_ps(run, one));
    __m128d low = _mm_floor_pd(_mm_div_pd(_mm_load_pd(total_vm + i), _mm_cvtps_pd(run)));
    _mm_store_pd(points + i, _mm_floor_pd(_mm_mul_pd(low, _mm_load_pd(factor + i))));
    __m128d high = _mm_cvtps_pd(_mm_movehl_ps(run, run));
    high = _mm_floor_pd(_mm_div_pd(_mm_load_pd(total_vm + i + 2), high));
    _mm_store_pd(points + i + 2, _mm_floor_pd(_mm_mul_pd(high, _mm_load_pd(factor + i + 2))));
  }
}

static int64_t walk(int64_t chosen, double most, uint32_t from, uint32_t to, double *reached) {
  for (uint32_t i = from; i < to; ++i) {
    if (points[i] > most) {
      most = points[i];
      chosen = i;
    }
  }
  *reached = most;
  return chosen;
}

static int64_t sse_select(void) {
  int64_t chosen = -1;
  double most = 0;
  for (uint32_t i = 0; i < (head.count & ~7u); i += 8) {
    __m128d bound = _mm_set1_pd(most);
    __m128d a = _mm_or_pd(_mm_cmpgt_pd(_mm_load_pd(points + i), bound), _mm_cmpgt_pd(_mm_load_pd(points + i + 2), bound));
    __m128d b = _mm_or_pd(_mm_cmpgt_pd(_mm_load_pd(points + i + 4), bound), _mm_cmpgt_pd(_mm_load_pd(points + i + 6), bound));
    if (_mm_movemask_pd(_mm_or_pd(a, b))) chosen = walk(chosen, most, i, i + 8, &most);
  }
  return chosen;
}

#endif

/* ---- 256 bits --------------------------------------------------------------------------------------------------- */

#ifdef __AVX2__
static void avx2_score(void) {
  const __m256i uptime = _mm256_set1_epi32((int)head.uptime_s);
  const __m256 one = _mm256_set1_ps(1);
  for (uint32_t i = 0; i < head.count; i += 8) {
    __m256i ran = _mm256_srai_epi32(_mm256_sub_epi32(uptime, _mm256_load_si256((const __m256i *)(start_s + i))), 10);
    __m256 run = _mm256_floor_ps(_mm256_sqrt_ps(_mm256_sqrt_ps(_mm256_cvtepi32_ps(ran))));
    run = _mm256_mul_ps(_mm256_load_ps(cpu_div + i), _mm256_max_ps(run, one));
    for (uint32_t half = 0; half < 2; ++half) {
      __m128 runs = half ? _mm256_extractf128_ps(run, 1) : _mm256_castps256_ps128(run);
      uint32_t at = i + 4 * half;
      __m256d value = _mm256_floor_pd(_mm256_div_pd(_mm256_load_pd(total_vm + at), _mm256_cvtps_pd(runs)));
      _mm256_store_pd(points + at, _mm256_floor_pd(_mm256_mul_pd(value, _mm256_load_pd(factor + at))));
    }
  }
}

static int64_t avx2_select(void) {
  int64_t chosen = -1;
  double most = 0;
  for (uint32_t i = 0; i < (head.count & ~7u); i += 8) {
    __m256d bound = _mm256_set1_pd(most);
    __m256d a = _mm256_cmp_pd(_mm256_load_pd(points + i), bound, _CMP_GT_OQ);
    __m256d b = _mm256_cmp_pd(_mm256_load_pd(points + i + 4), bound, _CMP_GT_OQ);
    if (_mm256_movemask_pd(_mm256_or_pd(a, b))) chosen = walk(chosen, most, i, i + 8, &most);
  }
  return chosen;
}

#endif

/* One round of a contestant: the victim's slot, −1 for nobody, −2 where this compiler's target lacks the instructions. */
static int64_t one_round(const char *name) {
  if (!strcmp(name, "plain")) return plain();
#ifdef __SSE4_1__
  if (!strcmp(name, "sse")) return sse_score(), sse_select();
#endif
#ifdef __AVX2__
  if (!strcmp(name, "avx2")) return avx2_score(), avx2_select();
#endif
  return -2;
}

/* ---- the file and the rounds ------------------------------------------------------------------------------------ */

static void *aligned(size_t bytes) {
  void *at = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
  if (!at) exit(2);
  memset(at, 0, bytes);
  return at;
}

/* Copies a column out of the mapping, so that nobody reads from the page cache. */
static void *column(const char **at, size_t width) {
  void *copy = aligned(width * head.count);
  memcpy(copy, *at, width * head.count);
  *at += width * head.count;
  return copy;
}

static void load_file(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat info;
  if (fd < 0 || fstat(fd, &info)) exit(2);
  const char *at = mmap(0, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) exit(2);
  memcpy(&head, at, sizeof head);
  at += sizeof head;
  /* The loops have no tail: a bench has the size it wants. */
  if (head.count % 8) exit(2);
  total_vm = column(&at, 8);
  utime = column(&at, 8);
  stime = column(&at, 8);
  cpu_div = column(&at, 4);
  factor = column(&at, 8);
  start_s = column(&at, 4);
  flags_of = column(&at, 4);
  nices = column(&at, 4);
  points = aligned(sizeof(double) * head.count);
  tasks = aligned(sizeof(struct task) * head.count);
  for (uint32_t i = 0; i < head.count; ++i) {
    tasks[i] = (struct task){(uint64_t)total_vm[i], (uint64_t)utime[i], (uint64_t)stime[i],
                             (uint64_t)start_s[i], flags_of[i], nices[i]};
  }
}

static double cpu_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int count, char **args) {
  if (count < 3) return 2;
  load_file(args[1]);
  if (one_round(args[2]) == -2) return 3;
  puts("ready");
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin);) {
    double began = cpu_us();
    int64_t victim = one_round(args[2]);
    double us = cpu_us() - began;
    double sum = 0;
    uint32_t hash = 0;
    for (uint32_t i = 0; i < head.count; ++i) {
      sum += isnan(points[i]) ? 0 : points[i];
      hash = hash * 31 + (isnan(points[i]) ? 0xffffffffu : (uint32_t)(uint64_t)points[i]);
    }
    printf("{\"us\":%.3f,\"victim\":%ld,\"sum\":%.0f,\"hash\":%u}\n", us, (long)victim, sum, hash);
    fflush(stdout);
  }
  return 0;
}
