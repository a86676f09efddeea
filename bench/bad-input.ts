/**
 * What input that was made to do harm costs, in milliseconds per MiB: the codec alone, and the
 * conversion there and back. Ends with exit code 1 when a case is over its bound.
 *
 *   npm run bench -- bad-input [PART_OF_A_NAME]
 */
import { performance } from 'node:perf_hooks';
import {
  decodeSegments,
  decodeTraces,
  decodeTracesJson,
  inspectTraces,
  inspectTracesJson,
  parseJson,
  printSegment,
  jsonText as json,
} from '../src/codec/index.ts';
import { inspectSegment, splitSegments } from '../src/codec/segment.ts';
import { toSegments, toSpans } from '../src/convert/index.ts';
import { RaybridgeError } from '../src/errors.ts';
import type { SegmentDocument, Span } from '../src/model/index.ts';
import { type HostileInput, hostileInputs } from '../test/support/hostile.ts';

/** The aim is 20 ms on a fast machine; one of a quarter of its speed must pass, too. */
const codecMsPerMib = 80;

/** A tree with an object for every two bytes of `5,5,5` takes several times what the reading takes. */
const treeMsPerMib = 3 * codecMsPerMib;

/**
 * A span or document costs hundreds of microseconds, and 1 MiB has room for hundreds of thousands of
 * empty ones. So what is bounded is growth: four times the input may take eight times as long.
 */
const growthMax = 8;
/** Times of less than this say nothing about growth. */
const growthFloorMs = 10;

type Work = (bytes: Uint8Array) => unknown;

interface Task {
  readonly work: Work;
  readonly msPerMibMax: number;
}

const tasks: Readonly<Record<HostileInput['format'], Readonly<Record<string, Task>>>> = {
  otlp_proto: { inspectTraces: codec(inspectTraces), decodeTraces: codec(decodeTraces) },
  otlp_json: {
    inspectTracesJson: codec(inspectTracesJson),
    decodeTracesJson: codec(decodeTracesJson),
    parseJson: tree(parseJson),
  },
  segments: {
    inspectSegment: codec(inspectSegment),
    splitSegments: codec(splitSegments),
    decodeSegments: tree(decodeSegments),
  },
};

const conversions: Readonly<Record<HostileInput['format'], Work>> = {
  otlp_proto: (bytes) => thereAndBack(decodeTraces(bytes)),
  otlp_json: (bytes) => thereAndBack(decodeTracesJson(bytes)),
  segments: (bytes) => backAndThere(decodeSegments(bytes)),
};

const word = process.argv[3] ?? '';
const mebibyte = 1024 * 1024;
const smallBytes = 4096;
const small = new Map(hostileInputs(smallBytes).map((input) => [nameOf(input), input]));
const large = new Map(hostileInputs(4 * smallBytes).map((input) => [nameOf(input), input]));

for (const input of hostileInputs(mebibyte)) {
  const name = nameOf(input);
  if (!name.includes(word)) continue;
  const figures = Object.entries(tasks[input.format]).map(([task, { work, msPerMibMax }]) => {
    // Inputs of a few bytes are told as if they had 64 KiB: a fixed cost is none per MiB.
    const msPerMib = (bestMs(work, input.bytes) * mebibyte) / Math.max(input.bytes.length, mebibyte / 16);
    return figure(task, msPerMib, 'ms/MiB', msPerMibMax);
  });
  console.log([name.padEnd(50), ...figures, growthOf(name)].join('  '));
}

function codec(work: Work): Task {
  return { work, msPerMibMax: codecMsPerMib };
}

function tree(work: Work): Task {
  return { work, msPerMibMax: treeMsPerMib };
}

function nameOf({ format, name }: HostileInput): string {
  return `${format} ${name}`;
}

function figure(task: string, value: number, unit: string, max: number): string {
  if (value <= max) return `${task} ${value.toFixed(1)} ${unit}`;
  process.exitCode = 1;
  return `${task} ${value.toFixed(1)} ${unit}, OVER ${max}`;
}

/** How many times as long the conversion of four times as much takes. */
function growthOf(name: string): string {
  const one = small.get(name);
  const four = large.get(name);
  if (!one || !four || four.bytes.length < 2 * one.bytes.length) return '';
  const work = conversions[one.format];
  const growth = bestMs(work, four.bytes) / Math.max(bestMs(work, one.bytes), growthFloorMs);
  return figure('conversion', growth, 'times', growthMax);
}

/** The best of three runs, after one to warm up; of slow ones fewer. */
function bestMs(work: Work, bytes: Uint8Array): number {
  let best = Infinity;
  const startedAt = performance.now();
  for (let run = 0; run < 4 && performance.now() - startedAt < 2000; run++) {
    const runStartedAt = performance.now();
    refusable(work, bytes);
    best = Math.min(best, performance.now() - runStartedAt);
  }
  return best;
}

function refusable(work: Work, bytes: Uint8Array): void {
  try {
    work(bytes);
  } catch (error) {
    // Most of this input is refused; any other error is a bug, and ends the run.
    if (!(error instanceof RaybridgeError)) throw error;
  }
}

function thereAndBack(spans: readonly Span[]): unknown {
  return toSpans(toSegments(spans, { json }), { json });
}

function backAndThere(documents: readonly SegmentDocument[]): unknown {
  return toSegments(toSpans(documents, { json }).spans, { json }).map(printSegment);
}
