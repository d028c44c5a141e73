/**
 * Stage: all of them. Every number that the engine and its hosts share is written here and nowhere else.
 * `asc` compiles this file into the engine, `tsc` and `esbuild` into the host, so it holds only
 * `export const NAME = <integer expression>`. It is one long file because it is one address space: each offset counts on
 * from the one above it, and the order can be checked from top to bottom (tests/tidy.test.ts).
 *
 * The linear memory, in address order (one memory, sized once from max_tasks, never grown while open):
 *
 *     0              HEADER          identity, capacities, the index of the current snapshot
 *     HEADER_END     DOMAINS         what can run short of memory: limits, gate, token, counters
 *                    LISTENERS       counters with eventfd semantics, waited on across threads
 *                    QUEUE           the candidate list: two buffers, one atomic index
 *                    PROTECTED       the set of tasks that are never eligible
 *                    VICTIMS         kills in flight
 *                    DECISIONS       ring of canonical decision records
 *                    WINDOWS         one per thread: text, staged task, inputs, terms, parameters, record
 *     TASKS          SNAPSHOT 0      header, then the task columns, each max_tasks long
 *                    SNAPSHOT 1      the other buffer
 *                    SCRATCH         hash index and order columns, shared by the two
 *
 * A quantity (pages, bytes, jiffies, seconds, points) is an f64 column that holds an exact integer of at
 * most QUANTITY_MAX, so JavaScript reads it without BigInt and SIMD takes two at a time.
 */

// ---- identity and limits -------------------------------------------------------------------------------------

/** "BADN", little-endian, first word of the memory once the engine has been initialised. */
export const MAGIC = 0x4e444142;
/** Raised whenever a host that was built against the old layout would read something wrong. */
export const ABI_VERSION = 1;
/** Version of the decision record, the JSON output and its `schema` key. */
export const SCHEMA_VERSION = 1;

export const TASKS_MIN = 1;
export const TASKS_MAX = 1048576;
export const DOMAINS_MAX = 32;
export const LISTENERS_MAX = 256;
/** As many queued candidates as kept descriptors are allowed (one is kept for each). */
export const QUEUE_MAX = 4096;
export const PROTECTED_MAX = 4096;
export const VICTIMS_MAX = 64;
export const DECISIONS_MAX = 64;
export const THREADS_MAX = 16;
export const RUNNERS_UP_MAX = 8;

/** Largest quantity a column takes: 2^53. Greater values are refused, never wrapped. */
export const QUANTITY_MAX = 9007199254740992;
export const PID_INIT = 1;
/** Largest pid of any kernel (PID_MAX_LIMIT, 64-bit). */
export const PID_MAX = 4194304;
export const COMM_BYTES = 16;
/** Clock ticks per second of everything in /proc (AT_CLKTCK); the same on every Linux. */
export const USER_HZ = 100;
export const HZ_MIN = 48;
export const HZ_MAX = 1535;
export const ADJ_MIN = -1000;
export const ADJ_MAX = 1000;
export const OOM_DISABLE = -17;

// ---- answers: ≥ 0 is a result, < 0 one of these ----------------------------------------------------------------

export const OK = 0;
/** A value is negative, fractional, not finite or above QUANTITY_MAX; see W_ERROR_FIELD. */
export const E_VALUE = -1;
/** The table, queue, set or ring is full. */
export const E_FULL = -2;
/** The text is not of the form this parser reads. */
export const E_FORMAT = -3;
/** The text ends before what is needed. */
export const E_SHORT = -4;
/** Nobody is eligible. */
export const E_NO_VICTIM = -5;
/** The scheme's era waits for a victim that is already dying instead of choosing another. */
export const E_IN_FLIGHT = -6;
/** Slot, domain, scheme or thread out of range. */
export const E_RANGE = -7;
/** The memory was written by another ABI version, or never initialised. */
export const E_ABI = -8;
/** The snapshot changed while it was being read. */
export const E_CHANGED = -9;
/** Somebody else holds what was asked for. */
export const E_BUSY = -10;
/** The operation is no longer the current one. */
export const E_STALE = -11;
/** No such entry. */
export const E_NO_ENTRY = -12;

// ---- schemes ---------------------------------------------------------------------------------------------------

export const SCHEME_LINUX_2_4 = 0;
export const SCHEME_LINUX_2_6_10 = 1;
export const SCHEME_LINUX_2_6_11 = 2;
export const SCHEME_LINUX_2_6_16 = 3;
export const SCHEME_LINUX_2_6_20 = 4;
export const SCHEME_LINUX_2_6_32 = 5;
export const SCHEME_LINUX_2_6_36 = 6;
export const SCHEME_LINUX_3_0 = 7;
export const SCHEME_LINUX_3_5 = 8;
export const SCHEME_LINUX_3_15 = 9;
export const SCHEME_LINUX_4_17 = 10;
export const SCHEME_LINUX_5_9 = 11;
export const SCHEME_BADNESS = 12;
export const SCHEME_RESIDENT = 13;
export const SCHEME_FAMILY = 14;
export const SCHEMES = 15;

export const AGE_SPARE_OLD = 0;
export const AGE_SPARE_YOUNG = 1;
export const AGE_IGNORE = 2;

/** oom_score_adj: only −1000 counts, as "never" (the default); or added to the points, as the kernel does. */
export const ADJ_NEVER_ONLY = 0;
export const ADJ_KERNEL = 1;

// ---- task flags (one u32 column) -------------------------------------------------------------------------------

/** These make a task ineligible in every scheme, or in those that say so (schemes.ts). */
export const TASK_NO_MM = 1 << 0;
export const TASK_KTHREAD = 1 << 1;
export const TASK_INIT = 1 << 2;
/** oom_score_adj is −1000. */
export const TASK_ADJ_NEVER = 1 << 3;
/** oom_adj is −17 (OOM_DISABLE). */
export const TASK_OOM_DISABLE = 1 << 4;
/** Chosen before and still dying (TIF_MEMDIE, oom victim). */
export const TASK_MEMDIE = 1 << 5;
/** Leaving by itself (PF_EXITING). */
export const TASK_EXITING = 1 << 6;
/** In the protected set. */
export const TASK_PROTECTED = 1 << 7;
/** The guard itself, or an ancestor of it up to the session leader. */
export const TASK_SELF = 1 << 8;
/** Not a member of the domain of this round. */
export const TASK_OUTSIDE = 1 << 9;
/** Child of a vfork that has not called exec: shares its parent's mm. */
export const TASK_VFORK = 1 << 10;
/** Shares the mm of its parent (CLONE_VM): not charged to the parent a second time. */
export const TASK_SAME_MM = 1 << 11;
/** What its memory nodes have in common with the domain's is nothing. */
export const TASK_MEMS_DISJOINT = 1 << 12;
/** In swapoff (PF_SWAPOFF, oom_task_origin). */
export const TASK_ORIGIN = 1 << 13;
/** The caller says there is an mm although total_vm and rss are 0. */
export const TASK_HAS_MM = 1 << 14;
/** FIELD_STAT_RSS_PAGES is known; without it rss_pages stands in. */
export const TASK_STAT_RSS = 1 << 15;
/** Privileges and priority, as the classic formulas ask for them. */
export const TASK_NICED = 1 << 16;
export const TASK_ROOT_UID = 1 << 17;
export const TASK_CAP_ADMIN = 1 << 18;
export const TASK_CAP_RESOURCE = 1 << 19;
export const TASK_CAP_RAWIO = 1 << 20;
/** Excluded by a rule of the policy. */
export const TASK_RULE_NEVER = 1 << 24;
/** The row holds upper bounds, not a full reading: whoever would win on bounds is read in full first. */
export const TASK_BOUND = 1 << 25;

export const CAP_SYS_RAWIO_BIT = 17;
export const CAP_SYS_ADMIN_BIT = 21;
export const CAP_SYS_RESOURCE_BIT = 24;

export const KIND_PROCESS = 0;
export const KIND_REGISTERED = 1;
export const KIND_SIMULATED = 2;

/** Answer of status_parse: a VmSize line was there, so the task has an mm. */
export const STATUS_HAS_MM = 1;

/** Flags of /proc/PID/stat field 9. */
export const PF_EXITING = 0x4;
export const PF_FORKNOEXEC = 0x40;
export const PF_KTHREAD = 0x200000;

// ---- HEADER ----------------------------------------------------------------------------------------------------

export const H_MAGIC = 0; // u32
export const H_ABI = 4; // u32
export const H_CAPACITY = 8; // u32: max_tasks rounded up to a multiple of COLUMN_ALIGN
export const H_CURRENT = 12; // u32, atomic: index of the snapshot that readers use
export const H_SEQUENCE = 16; // u32, atomic: snapshots published so far
export const H_DECISIONS = 20; // u32, atomic: decision records written so far
export const H_PROTECTED = 24; // u32, atomic: PROTECTED_EPOCH · changes + entries in the protected set
export const H_OPERATION = 28; // u32, atomic: the last operation id given out
export const H_QUEUE = 32; // u64, atomic: QUEUE_HEAD, QUEUE_COUNT, QUEUE_EPOCH of the candidate list in force
export const H_OOM_EVENTS = 40; // u32, atomic: OOM events begun so far, in all domains
export const HEADER_BYTES = 256;

// ---- DOMAINS: one record each; domain 0 is the system ------------------------------------------------------------

export const DOMAINS = HEADER_BYTES;
export const D_STATE = 0; // u32, atomic: DOMAIN_FREE, DOMAIN_OPEN
export const D_PARENT = 4; // i32: domain above, −1 for none
export const D_KIND = 8; // u32
export const D_ROOT = 12; // u32: root tgid of a subtree domain, else 0
export const D_TOTAL_PAGES = 16; // f64
export const D_OPENINGS = 24; // u32: how often this record was opened; tells a domain from an earlier one of its number
export const D_GATE = 32; // 96 bytes: GATE_*
export const D_TOKEN = 128; // 64 bytes: TOKEN_*
export const D_OOM = 192; // 64 bytes: OOM_*
export const DOMAIN_BYTES = 256;

export const DOMAIN_FREE = 0;
export const DOMAIN_OPEN = 1;
export const DOMAIN_SYSTEM = 0;
export const DOMAIN_MEMCG = 1;
export const DOMAIN_NUMA = 2;
export const DOMAIN_SUBTREE = 3;
export const DOMAIN_REGISTERED = 4;

// The gate of a domain. Its host writes the rules, gate.ts the rest. Ticks are of whatever clock the caller counts in:
// milliseconds, or the jiffies of a 64-bit kernel; those of a 32-bit kernel stand in the upper word of every cell of
// ticks, the lower one 0, so that they wrap where that kernel's do.
export const GATE_FIRST = D_GATE; // u64, ticks: start of the window in which calls are counted
export const GATE_LAST = D_GATE + 8; // u64, ticks: the latest call
export const GATE_LASTKILL = D_GATE + 16; // u64, ticks: the latest call that was let through
export const GATE_WINDOW_TICKS = D_GATE + 24; // u64: a longer silence starts again
export const GATE_WARM_UP_TICKS = D_GATE + 32; // u64: calls this soon after the first do not count
export const GATE_COOLDOWN_TICKS = D_GATE + 40; // u64: between two that are let through
export const GATE_CALLS = D_GATE + 48; // u32: counted calls that it takes
export const GATE_COUNT = D_GATE + 52; // u32: calls counted
export const GATE_FLAGS = D_GATE + 56; // u32: GATE_RATE …
export const GATE_LOCK = D_GATE + 60; // u32, atomic: 1 while somebody is inside

/** Counts calls; without it the gate is a `level` gate, open at once. */
export const GATE_RATE = 1 << 0;
/** The 2.6.10 kernel's own arithmetic: modular, and a clock that steps back is believed. */
export const GATE_MODULAR = 1 << 1;
/** There has been a call, so GATE_LAST and GATE_FIRST mean something. */
export const GATE_CALLED = 1 << 2;
/** One was let through, so GATE_LASTKILL means something. */
export const GATE_KILLED = 1 << 3;
/** For hosts, the engine does not look: ticks are those of a 32-bit kernel, in the upper word. */
export const GATE_32 = 1 << 4;
/** The kernel's gate as it is at boot: all zero, and zero is a time like any other. */
export const GATE_LINUX_2_6_10 = GATE_RATE + GATE_MODULAR + GATE_CALLED + GATE_KILLED;

/** Defaults, in milliseconds; the kernel's are the same in its HZ. */
export const GATE_DEFAULT_WINDOW_MS = 5000;
export const GATE_DEFAULT_WARM_UP_MS = 1000;
export const GATE_DEFAULT_CALLS = 10;
export const GATE_DEFAULT_COOLDOWN_MS = 5000;

/** Answers of gate_call: let through, or why not. */
export const GATE_KILL = 0;
export const GATE_RESET = 1;
export const GATE_TOO_SOON = 2;
export const GATE_FEW = 3;
export const GATE_COOLDOWN = 4;

// The token of a domain: one word, so that whoever reads it sees one moment. 0 while nobody holds it.
export const TOKEN_HOLDER = D_TOKEN; // u32: address of the holder's window, with TOKEN_VICTIM; 0 while idle
export const TOKEN_OPERATION = D_TOKEN + 4; // u32: operation id
/** The victim of the operation is known: its signal has been or is being sent. */
export const TOKEN_VICTIM = 1 << 0;
/** In place of a holder: the domain was closed. */
export const TOKEN_CLOSED = 1 << 1;
export const OPERATION_MAX = 0x7fffffff;

// The OOM state of a domain, for its listeners. Only hosts look at it.
export const OOM_SEQUENCE = D_OOM; // u32, atomic: events begun and ended, so odd while the domain is under OOM
export const OOM_WATCHERS = D_OOM + 4; // u32, atomic: guards that watch it
export const OOM_VERSION = D_OOM + 8; // u32, atomic: changes of the cells below; odd while they are written
/** Facts of the latest event: u32 cells. */
export const OOM_FACTS = D_OOM + 12;
export const FACT_SEQUENCE = 0; // OOM_SEQUENCE of the event
export const FACT_EVENT = 1; // its number among those of all domains: H_OOM_EVENTS
export const FACT_REASON = 2; // OOM_REASONS of the host
export const FACT_LEVEL = 3; // PRESSURE_LEVELS of the host
/** Victims named during it; the cells below are those of the last. */
export const FACT_VICTIMS = 4;
export const FACT_KIND = 5;
export const FACT_ID = 6;
export const FACT_ID_HI = 7;
export const FACT_START_TICKS = 8;
export const FACT_START_TICKS_HI = 9;
export const OOM_FACT_CELLS = 10;

// ---- LISTENERS: a counter each, then registrations; only hosts look at them --------------------------------------

export const LISTENERS = DOMAINS + DOMAINS_MAX * DOMAIN_BYTES;
export const LISTENER_BYTES = 32;
/** u64, atomic: signals not yet read, recoveries not yet read, generation: odd while somebody has the listener. */
export const LISTENER_COUNTERS = LISTENERS;
export const LISTENER_COUNT_BITS = 20;
export const LISTENER_RECOVERED_BITS = 20;
export const LISTENER_GENERATION_BITS = 23;
/** u64, atomic: 0, or domain + 1, number of the listener, and in place of its generation the generation. */
export const REGISTRATIONS = LISTENERS + LISTENERS_MAX * 8;
export const REGISTRATIONS_MAX = 3 * LISTENERS_MAX;
export const REGISTRATION_DOMAIN_BITS = 8;

// ---- QUEUE -----------------------------------------------------------------------------------------------------

export const QUEUE = LISTENERS + LISTENERS_MAX * LISTENER_BYTES;
/** The cells of H_QUEUE. The buffer in force is the one numbered by the lowest bit of the epoch. */
export const QUEUE_HEAD = H_QUEUE; // u16: entries already taken
export const QUEUE_COUNT = H_QUEUE + 2; // u16: entries of the list, taken ones included
export const QUEUE_EPOCH = H_QUEUE + 4; // u32: lists published so far
export const Q_COUNT = 0; // u32: entries of a list that is being made
export const Q_UNTIL_MS = 8; // f64, the engine does not look: until when the list counts, monotonic ms; 0 or Infinity for ever
export const Q_ENTRIES = 64;
export const ENTRY_PID = 0; // i32
export const ENTRY_HANDLE = 4; // u32: the host's kept descriptor, 0 for none
export const QUEUE_ENTRY_BYTES = 8;
export const QUEUE_BUFFER_BYTES = Q_ENTRIES + QUEUE_MAX * QUEUE_ENTRY_BYTES;

// ---- PROTECTED -------------------------------------------------------------------------------------------------

export const PROTECTED = QUEUE + 2 * QUEUE_BUFFER_BYTES;
/** What one change adds to H_PROTECTED; below it the number of entries. */
export const PROTECTED_EPOCH = 65536;
export const PE_TGID = 0; // i32
export const PE_HANDLE = 4; // u32: the host's kept descriptor
export const PE_SINCE_TICKS = 8; // f64, 1/100 s since boot: children that start from then on are protected too
export const PE_PARENT = 16; // i32: the protected task that it was forked by, 0 for one that was asked for
export const PROTECTED_ENTRY_BYTES = 32;

// ---- VICTIMS ---------------------------------------------------------------------------------------------------

export const VICTIMS = PROTECTED + PROTECTED_MAX * PROTECTED_ENTRY_BYTES;
export const VICTIM_BYTES = 64;

// ---- DECISIONS: the canonical record ------------------------------------------------------------------------------
// All cells little-endian. The record holds what was asked, the digest of what was seen, and what was answered; text
// and JSON are printed from it, so two runtimes agree when the bytes do.

export const R_SCHEMA = 0; // u32: SCHEMA_VERSION
export const R_SEQUENCE = 4; // u32: number of this decision in this memory
export const R_OUTCOME = 8; // i32: slot ≥ 0, or E_NO_VICTIM, E_IN_FLIGHT
export const R_SCHEME = 12; // u32
export const R_ELIGIBLE = 16; // u32: how many of the tasks were eligible
export const R_ORDERED = 20; // u32: rows used at R_ORDER
export const R_DIGEST = 24; // u64: FNV-1a over every column that a reader filled, in slot order
export const R_PARAMETERS = 32; // the first P_RECORDED_BYTES of W_PARAMETERS
export const R_SNAPSHOT = 64; // the first S_RECORDED_BYTES of the snapshot
/** Comm, terms and inputs of the victim, who is the first row of the order; zeros without one. */
export const R_COMM = 88; // COMM_BYTES
export const R_TERMS = 104; // TERMS_BYTES
export const R_INPUTS = 240; // INPUTS_BYTES
export const R_ORDER = 352; // RUNNERS_UP_MAX rows, worst first, the victim included
export const ORDER_ID = 0; // u32
export const ORDER_ID_HI = 4; // u32
export const ORDER_KIND = 8; // u32
export const ORDER_POINTS = 16; // f64
export const ORDER_START_TICKS = 24; // f64
export const ORDER_BYTES = 32;
export const DECISION_BYTES = 640;

export const DECISIONS = VICTIMS + VICTIMS_MAX * VICTIM_BYTES;

// ---- WINDOWS: one per thread ---------------------------------------------------------------------------------------

export const WINDOWS = DECISIONS + DECISIONS_MAX * DECISION_BYTES;
// The cells that code addresses one by one come first: an offset below 1,024 is folded into the instruction.

/** Parameters of a scoring call, written by the host before it. */
export const W_PARAMETERS = 0;
export const P_MAX_DISCOUNT = W_PARAMETERS; // f64: 1 … 2^31
export const P_AGE = W_PARAMETERS + 8; // u32
export const P_ADJ = W_PARAMETERS + 12; // u32
export const P_TOTAL_PAGES = W_PARAMETERS + 16; // f64
export const P_ROOT = W_PARAMETERS + 24; // u32: root tgid of a subtree, 0 for none
export const P_DOMAIN = W_PARAMETERS + 28; // u32
/** The bytes up to here are part of every decision record. */
export const P_RECORDED_BYTES = 32;
export const W_ERROR_FIELD = W_PARAMETERS + 32; // u32: FIELD_* that table_put refused
export const PARAMETERS_BYTES = 64;

/** The entry that queue_take took. */
export const W_TAKEN = W_PARAMETERS + 56; // ENTRY_PID, ENTRY_HANDLE

/** One staged task: f64 cells, filled by the parsers or the host, taken by table_put. */
export const W_FIELDS = W_PARAMETERS + PARAMETERS_BYTES;
// Unsigned 32-bit numbers first, then small signed ones, then quantities: table_put checks and copies each group in a
// loop, and the columns follow the same order.
export const FIELD_KIND = 0;
export const FIELD_TGID = 1;
export const FIELD_ID_HI = 2;
export const FIELD_PPID = 3;
export const FIELD_SID = 4;
/** ASCII code of the state letter. */
export const FIELD_STATE = 5;
export const FIELD_THREADS = 6;
export const FIELD_UID = 7;
export const FIELD_EUID = 8;
export const FIELD_CAP_LO = 9;
export const FIELD_CAP_HI = 10;
/** TASK_* flags that are facts about the task and not derived from the other fields. */
export const FIELD_FLAGS = 11;
/** PF_* flags of stat field 9; 0 when unknown. */
export const FIELD_PF_FLAGS = 12;
/** One bit per domain the task is a member of. */
export const FIELD_DOMAIN_MASK = 13;
export const FIELD_NICE = 14;
export const FIELD_OOM_SCORE_ADJ = 15;
export const FIELD_OOM_ADJ = 16;
export const FIELD_TOTAL_VM_PAGES = 17;
export const FIELD_RSS_PAGES = 18;
export const FIELD_RSS_ANON_PAGES = 19;
export const FIELD_RSS_SHMEM_PAGES = 20;
export const FIELD_SWAP_PAGES = 21;
export const FIELD_PGTABLES_BYTES = 22;
export const FIELD_UTIME_JIFFIES = 23;
export const FIELD_STIME_JIFFIES = 24;
export const FIELD_START_TIME_TICKS = 25;
/** stat field 24: the approximate counters that the kernel itself scores with on 6.2 … 6.19. */
export const FIELD_STAT_RSS_PAGES = 26;
/** Room for a parser: VmPMD until it is added to VmPTE. */
export const FIELD_SCRATCH = 27;
export const FIELDS = 28;
export const FIELD_BYTES = 8;
export const W_COMM = W_FIELDS + FIELDS * FIELD_BYTES;

/** Inputs of the scalar formula: u64 cells. */
export const W_INPUTS = W_COMM + COMM_BYTES;
export const IN_TOTAL_VM = 0;
export const IN_CHILDREN_VM = 8; // what the era adds for children, already summed
export const IN_CHARGE = 16; // rss + swap + page tables, pages (modern and own schemes)
export const IN_UTIME = 24;
export const IN_STIME = 32;
export const IN_UPTIME = 40; // seconds; jiffies for linux-2.4
export const IN_START = 48; // seconds; jiffies for linux-2.4
export const IN_TOTAL_PAGES = 56;
export const IN_MAX_DISCOUNT = 64;
export const IN_FLAGS = 72; // u32 TASK_*
export const IN_OOM_ADJ = 76; // i32: −17 … 15
export const IN_OOM_SCORE_ADJ = 80; // i32
export const IN_HZ = 84; // u32
export const IN_BITS = 88; // u32: 32 or 64, width of the kernel's unsigned long
export const IN_AGE = 92; // u32
export const IN_ADJ = 96; // u32
export const INPUTS_BYTES = 112;

/** Terms of one task's points, u64/i64 cells, written by the scalar formula: what `explain` prints. */
export const W_TERMS = W_INPUTS + INPUTS_BYTES;
export const TERM_BASE = 0; // pages the scheme starts from
export const TERM_CHILDREN = 8; // pages added for children or the rest of the family
export const TERM_CPU_UNITS = 16;
export const TERM_CPU_DIV = 24; // 0 = does not divide
export const TERM_RUN_UNITS = 32;
export const TERM_RUN_DIV = 40; // 0 = does not divide
export const TERM_DISCOUNT = 48; // what age and CPU divide (or multiply) by together, after its limit
export const TERM_NICE_TIMES = 56; // 1 or 2
export const TERM_ROOT_DIV = 64; // 1 or 4
export const TERM_RAWIO_DIV = 72; // 1 or 4
export const TERM_DISJOINT_DIV = 80; // 1 or 8
export const TERM_ROOT_BONUS = 88; // i64: taken off, in the scheme's unit (pages, or thousandths)
export const TERM_ADJ_PAGES = 96; // i64: added for oom_score_adj, in the scheme's unit
export const TERM_OOM_ADJ = 104; // i64: shift, + left, − right
export const TERM_POINTS = 112; // u64 for classic eras, i64 for modern and own
export const TERM_OOM_SCORE = 120; // i64: what /proc/PID/oom_score of that era prints
export const TERM_FLAGS = 128; // u32 TASK_* of the task
export const TERM_INELIGIBLE = 132; // u32: the TASK_* bits that made it ineligible, 0 when eligible
export const TERMS_BYTES = 136;

/** A decision record being written, before it goes to the ring. */
export const W_DECISION = W_TERMS + TERMS_BYTES;
/** A thread's side of a token, DOMAINS_MAX of them at W_TOKENS. */
export const HOLD_DEADLINE_MS = 0; // f64: when others may take the operation over
export const HOLD_START_TICKS = 8; // f64, from here the victim; meaningful with TOKEN_VICTIM
export const HOLD_ID = 16; // u32
export const HOLD_ID_HI = 20; // u32
export const HOLD_BYTES = 24;

/** Text read from a file. As large as the longest control message; /proc/PID/status is longer only with thousands of groups. */
export const W_TEXT = 4096;
/**
 * What this thread holds of the token of each domain. It stands here and not in the domain because nobody else writes
 * here: an operation that has expired cannot overwrite what its successor says.
 */
export const W_TOKENS = W_TEXT - DOMAINS_MAX * HOLD_BYTES;
export const TEXT_BYTES = 65536;
export const WINDOW_BYTES = W_TEXT + TEXT_BYTES;

// ---- TASKS: two snapshots, structure of arrays -------------------------------------------------------------------

export const TASKS = WINDOWS + THREADS_MAX * WINDOW_BYTES;
/** Columns start on 64-byte lines, and loops may read a whole SIMD step past the last task. */
export const COLUMN_ALIGN = 64;

export const S_COUNT = 0; // u32, atomic
export const S_HZ = 4; // u32
export const S_PAGE_SIZE = 8; // u32
export const S_UPTIME_TICKS = 16; // f64, 1/100 s
/** The bytes up to here are part of every decision record. */
export const S_RECORDED_BYTES = 24;
export const S_VERSION = 24; // u32, atomic: odd while being written
/** What C_FACTOR is prepared for: 0 nothing, else 1 + scheme + SCHEMES · domain. Every write of a row puts it back to 0. */
export const S_PREPARED = 28; // u32
export const S_ELIGIBLE = 32; // u32: tasks whose factor is a number
export const S_ANY_FLAGS = 40; // u32: the flags that some row has, or had before it was written again
export const S_SLOW = 36; // u32: 1 when a row is beyond what the fast form can hold
export const SNAPSHOT_HEADER_BYTES = 64;

// Column offsets, in bytes per task: address = snapshot + SNAPSHOT_HEADER_BYTES + COLUMN × capacity + slot × width.
// The first ten f64 columns follow the order of FIELD_TOTAL_VM_PAGES … FIELD_STAT_RSS_PAGES, and the u32 columns from
// C_KIND that of FIELD_KIND … FIELD_OOM_ADJ, so that table_put copies them in loops.
export const C_TOTAL_VM = 0; // f64
export const C_RSS = 8; // f64
export const C_RSS_ANON = 16; // f64
export const C_RSS_SHMEM = 24; // f64
export const C_SWAP = 32; // f64
export const C_PGTABLES_BYTES = 40; // f64
export const C_UTIME = 48; // f64
export const C_STIME = 56; // f64
export const C_START_TICKS = 64; // f64
export const C_STAT_RSS = 72; // f64
export const C_CHARGE = 80; // f64: rss + swap + ⌊pgtables_bytes / page_size⌋, prepared by table_put
export const C_RELATED = 88; // f64: what the scheme adds for children or family; written by relations
export const C_FACTOR = 96; // f64: nice and privileges as one power of two, NaN when ineligible; prepared by score
export const C_POINTS = 104; // f64: ≥ 0 or signed (kernel eras); NaN when ineligible, which loses every comparison
export const C_KIND = 112; // u32
export const C_ID = 116; // u32: tgid
export const C_ID_HI = 120; // u32
export const C_PPID = 124; // u32
export const C_SID = 128; // u32
export const C_STATE = 132; // u32
export const C_THREADS = 136; // u32
export const C_UID = 140; // u32
export const C_EUID = 144; // u32
export const C_CAP_LO = 148; // u32
export const C_CAP_HI = 152; // u32
export const C_FLAGS = 156; // u32: those staged and those that follow from other fields
export const C_PF_FLAGS = 160; // u32
export const C_DOMAIN_MASK = 164; // u32
export const C_NICE = 168; // i32
export const C_OOM_SCORE_ADJ = 172; // i32
export const C_OOM_ADJ = 176; // i32
export const C_START_S = 180; // i32: ⌊start_time_ticks / 100⌋, at most 2^31 − 1, prepared by table_put
export const C_CPU_DIV = 184; // f32: max(1, ⌊√((utime + stime) >> (SHIFT_HZ + 3))⌋), below 2^16 unless S_SLOW, prepared by table_put
export const C_COMM = 188; // COMM_BYTES
export const COLUMNS_BYTES = 204;
/** Points as a column holds them saturate here (2^54): shifted, niced or ULONG_MAX ones of old kernels. */
export const POINTS_MAX = 18014398509481984;
/** The fast form holds while the machine is up for less than 2^31 s (68 years); later the scalar form takes over. */
export const FAST_UPTIME_TICKS = 214748364800;

// SCRATCH follows the second snapshot: per task an order column and two hash words.
export const X_ORDER = 0; // u32
export const X_KEY = 4; // u32: family key
export const X_HASH = 8; // u32 × 2: open addressing over 2 × capacity, slot + 1
export const SCRATCH_BYTES = 16;

/** Bytes per task of max_tasks, rounded up to COLUMN_ALIGN, after TASKS and the two snapshot headers. */
export const BYTES_PER_TASK = 2 * COLUMNS_BYTES + SCRATCH_BYTES;
export const WASM_PAGE_BYTES = 65536;
