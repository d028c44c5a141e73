// The three parsers of a task, one line of real text each, and what they refuse.

import {
  COMM_BYTES,
  E_FORMAT,
  E_RANGE,
  E_SHORT,
  FIELD_CAP_HI,
  FIELD_CAP_LO,
  FIELD_EUID,
  FIELD_NICE,
  FIELD_PF_FLAGS,
  FIELD_PGTABLES_BYTES,
  FIELD_PPID,
  FIELD_RSS_ANON_PAGES,
  FIELD_RSS_PAGES,
  FIELD_RSS_SHMEM_PAGES,
  FIELD_SID,
  FIELD_START_TIME_TICKS,
  FIELD_STAT_RSS_PAGES,
  FIELD_STATE,
  FIELD_STIME_JIFFIES,
  FIELD_SWAP_PAGES,
  FIELD_TGID,
  FIELD_THREADS,
  FIELD_TOTAL_VM_PAGES,
  FIELD_UID,
  FIELD_UTIME_JIFFIES,
  HZ_MAX,
  OK,
  STATUS_HAS_MM,
  W_COMM,
  WINDOWS,
} from '../../assembly/layout';
import { stat_parse } from '../../assembly/proc/stat';
import { statm_parse } from '../../assembly/proc/statm';
import { status_parse } from '../../assembly/proc/status';
import { field_get, field_set } from '../../assembly/proc/text';
import { text_put } from './window';

const w: u32 = WINDOWS;
const NUMBERS =
  ' S 500 510 -1 0 -1 4194560 981 0 3 0 401 77 0 0 39 -19 11 0 87155 1102934016 14320 18446744073709551615 0';
const UID = 'Name:\tx\nUid:\t1000\t1001\t1000\t1000\n';
const CAP_EFF = 'CapEff:\t00000080fffffffe\n';

function stat(text: string): i32 {
  return stat_parse(w, text_put(w, text), 250);
}

function status(text: string): i32 {
  return status_parse(w, text_put(w, text), 4096);
}

function field(index: u32): f64 {
  return field_get(w, index);
}

function comm(): string {
  return String.UTF8.decodeUnsafe(w + W_COMM, COMM_BYTES, true);
}

describe('stat_parse', () => {
  test('stages every field it owns', () => {
    expect<i32>(stat(`512 (npm i)${NUMBERS}`)).toBe(OK);
    expect<string>(comm()).toBe('npm i');
    expect<f64>(field(FIELD_TGID)).toBe(512);
    expect<f64>(field(FIELD_STATE)).toBe(83);
    expect<f64>(field(FIELD_PPID)).toBe(500);
    expect<f64>(field(FIELD_SID)).toBe(0, 'session −1 of a dying task');
    expect<f64>(field(FIELD_PF_FLAGS)).toBe(4194560);
    expect<f64>(field(FIELD_UTIME_JIFFIES)).toBe(1002, '401 ticks at 250 Hz, floored');
    expect<f64>(field(FIELD_STIME_JIFFIES)).toBe(192);
    expect<f64>(field(FIELD_NICE)).toBe(-19);
    expect<f64>(field(FIELD_THREADS)).toBe(11);
    expect<f64>(field(FIELD_START_TIME_TICKS)).toBe(87155);
    expect<f64>(field(FIELD_STAT_RSS_PAGES)).toBe(14320);
    expect<f64>(field(FIELD_RSS_PAGES)).toBe(14320);
  });

  test('comm ends at the last parenthesis and is cut to 15 bytes', () => {
    expect<i32>(stat(`7 (foo) Z )${NUMBERS}`)).toBe(OK);
    expect<string>(comm()).toBe('foo) Z ');
    expect<f64>(field(FIELD_STATE)).toBe(83);
    expect<i32>(stat(`7 (kworker/R-slub_flushwq)${NUMBERS}`)).toBe(OK);
    expect<string>(comm()).toBe('kworker/R-slub_');
    expect<i32>(stat(`7 ()${NUMBERS}`)).toBe(OK);
    expect<string>(comm()).toBe('', 'nothing is left of the longer name');
  });

  test('refuses what is cut off, malformed or out of range', () => {
    expect<i32>(stat('512 (npm i')).toBe(E_SHORT);
    expect<i32>(stat('512 (npm i) S 500')).toBe(E_SHORT);
    expect<i32>(stat('x')).toBe(E_FORMAT);
    expect<i32>(stat(`512 (npm i) 7${NUMBERS}`)).toBe(E_FORMAT);
    expect<i32>(stat(`9007199254740993 (a)${NUMBERS}`)).toBe(E_FORMAT);
    expect<i32>(stat_parse(w, text_put(w, `512 (npm i)${NUMBERS}`), HZ_MAX + 1)).toBe(E_RANGE);
  });
});

describe('statm_parse', () => {
  test('stages total_vm and rss', () => {
    expect<i32>(statm_parse(w, text_put(w, '269271 14320 9811 1 0 31984 0\n'))).toBe(OK);
    expect<f64>(field(FIELD_TOTAL_VM_PAGES)).toBe(269271);
    expect<f64>(field(FIELD_RSS_PAGES)).toBe(14320);
    expect<i32>(statm_parse(w, text_put(w, '269271 14320'))).toBe(E_SHORT);
    expect<i32>(statm_parse(w, text_put(w, '-1 14320 '))).toBe(E_FORMAT);
  });
});

describe('status_parse', () => {
  test('stages every field it owns', () => {
    const vm =
      'VmSize:\t 1077084 kB\nVmRSS:\t   57280 kB\nRssAnon:\t 18000 kB\nRssShmem:\t   4 kB\nVmPTE:\t 40 kB\nVmPMD:\t 8 kB\nVmSwap:\t 16 kB\n';
    expect<i32>(status(`PPid:\t9\n${UID}${vm}Threads:\t3\n${CAP_EFF}`)).toBe(STATUS_HAS_MM);
    expect<f64>(field(FIELD_UID)).toBe(1000);
    expect<f64>(field(FIELD_EUID)).toBe(1001);
    expect<f64>(field(FIELD_TOTAL_VM_PAGES)).toBe(269271);
    expect<f64>(field(FIELD_RSS_PAGES)).toBe(14320);
    expect<f64>(field(FIELD_RSS_ANON_PAGES)).toBe(4500);
    expect<f64>(field(FIELD_RSS_SHMEM_PAGES)).toBe(1);
    expect<f64>(field(FIELD_PGTABLES_BYTES)).toBe(49152, 'PTE and PMD together');
    expect<f64>(field(FIELD_SWAP_PAGES)).toBe(4);
    expect<f64>(field(FIELD_CAP_LO)).toBe(4294967294, 'bit 31 is no sign');
    expect<f64>(field(FIELD_CAP_HI)).toBe(128);
  });

  test('a task without an mm keeps total_vm and rss, and owns nothing else', () => {
    field_set(w, FIELD_TOTAL_VM_PAGES, 11);
    field_set(w, FIELD_SWAP_PAGES, 12);
    expect<i32>(status(UID + CAP_EFF)).toBe(OK);
    expect<f64>(field(FIELD_TOTAL_VM_PAGES)).toBe(11);
    expect<f64>(field(FIELD_SWAP_PAGES)).toBe(0);
    expect<f64>(field(FIELD_PGTABLES_BYTES)).toBe(0);
  });

  test('a key is what stands before the first colon of a line', () => {
    expect<i32>(status(`Name:\tUid:\t5\t5\n${CAP_EFF}`)).toBe(0);
    expect<f64>(field(FIELD_UID)).toBe(0);
    expect<i32>(status(`xUid:\t5\t5\t\n\0Uid:\t5\t5\t\nUi:\t5\nVmSizes:\t5 kB\n${CAP_EFF}`)).toBe(0);
    expect<f64>(field(FIELD_UID)).toBe(0);
  });

  test('a text without CapEff was cut off', () => {
    expect<i32>(status('')).toBe(E_SHORT);
    expect<i32>(status(UID)).toBe(E_SHORT);
    expect<i32>(status(`${UID}CapEff:\t00000080ffff`)).toBe(E_SHORT);
    expect<i32>(status(`${UID}CapEff:\t00000080fffffffe1\n`)).toBe(E_FORMAT);
    expect<i32>(status_parse(w, text_put(w, UID + CAP_EFF), 0)).toBe(E_RANGE);
  });
});
