/**
 * The baseline engine as native code, behind the same interface as the builds: a process of tests/native/engine.c is asked over two
 * pipes, synchronously, and its memory and the one that the tests look at are kept alike.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as L from '../../../assembly/layout.js';
import type { Abi, OpenedBuild } from './builds.js';

const BLOCK = 4096;
const NAME_BYTES = 32;
const ARGUMENTS = 8;
const ARGUMENT_BYTES = 12;
const NO_MORE = 0xffff_ffff;

interface Pipes {
  readonly to: number;
  readonly from: number;
}

function startProcess(program: string): Pipes {
  const folder = mkdtempSync(join(tmpdir(), 'badness-native-'));
  const [input, output] = [join(folder, 'in'), join(folder, 'out')];
  execFileSync('mkfifo', [input, output]);
  const child = spawn(program, [input, output], { stdio: ['ignore', 'ignore', 'inherit'] });
  child.unref();
  // Each opening waits for the other side's: afterwards the end of one is seen by the other.
  const pipes = { to: openSync(input, 'w'), from: openSync(output, 'r') };
  rmSync(folder, { recursive: true });
  return pipes;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

function readAll(fd: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const got = readSync(fd, into, done, into.length - done, null);
    if (got === 0) throw new Error('the native engine has ended; it says why above');
    done += got;
  }
}

let pipes: Pipes | undefined;
let engines = 0;

class NativeEngine {
  readonly #pipes: Pipes;
  readonly #index = engines++;
  readonly #bytes: Buffer;
  /** What the other side has. */
  readonly #shared: Buffer;
  readonly #word = Buffer.alloc(4);

  constructor(program: string, memory: WebAssembly.Memory, maxTasks: number) {
    pipes ??= startProcess(program);
    this.#pipes = pipes;
    this.#bytes = Buffer.from(memory.buffer);
    this.#shared = Buffer.alloc(this.#bytes.length);
    this.#send('o', [maxTasks]);
  }

  call(name: string, args: readonly number[]): number {
    this.#push();
    const request = Buffer.alloc(NAME_BYTES + ARGUMENTS * ARGUMENT_BYTES);
    request.write(name, 'latin1');
    args.forEach((value, index) => {
      request.writeInt32LE(value | 0, NAME_BYTES + index * ARGUMENT_BYTES);
      request.writeDoubleLE(value, NAME_BYTES + index * ARGUMENT_BYTES + 4);
    });
    this.#send('c', [this.#index], request);
    const answer = this.#number() | 0;
    for (let at = this.#number(); at !== NO_MORE; at = this.#number()) {
      const block = this.#bytes.subarray(at, at + BLOCK);
      readAll(this.#pipes.from, block);
      this.#shared.set(block, at);
    }
    return answer;
  }

  #push(): void {
    for (let at = 0; at < this.#bytes.length; at += L.WASM_PAGE_BYTES) {
      const end = at + L.WASM_PAGE_BYTES;
      if (this.#bytes.compare(this.#shared, at, end, at, end) !== 0) this.#pushBlocks(at, end);
    }
  }

  #pushBlocks(from: number, end: number): void {
    for (let at = from; at < end; at += BLOCK) {
      const block = this.#bytes.subarray(at, at + BLOCK);
      if (block.equals(this.#shared.subarray(at, at + BLOCK))) continue;
      this.#shared.set(block, at);
      this.#send('w', [this.#index, at, BLOCK], block);
    }
  }

  #send(what: string, numbers: readonly number[], bytes: Uint8Array = new Uint8Array()): void {
    const head = Buffer.from(new Uint32Array(numbers).buffer);
    writeAll(this.#pipes.to, Buffer.concat([Buffer.from(what), head, bytes]));
  }

  #number(): number {
    readAll(this.#pipes.from, this.#word);
    return this.#word.readUInt32LE();
  }
}

/** Opens one like `open` of builds.ts: `memory` is zeroed and has the size of an engine for `maxTasks`. */
export function openNative(
  program: string,
  names: readonly string[],
  memory: WebAssembly.Memory,
  maxTasks: number,
): OpenedBuild {
  const engine = new NativeEngine(program, memory, maxTasks);
  const abi: Abi = Object.fromEntries(names.map((name) => [name, (...args: number[]) => engine.call(name, args)]));
  return { abi, memory };
}
