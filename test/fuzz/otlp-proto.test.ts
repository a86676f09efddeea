import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { decodeTraces, encodeTraces, inspectTraces } from '../../src/codec/index.ts';
import { fuzzing, isConverted } from '../support/fuzz.ts';
import { arbitraryMutations, mutateProto } from '../support/mutate.ts';
import { readRequest, requestNames } from '../support/otlp-requests.ts';
import { outcomeOf } from '../support/outcome.ts';
import { assertTrips } from '../support/trips.ts';

const corpus = requestNames.map((name) => readRequest(name, 'pb'));
const heapGrowthBytesMax = 20 * 1024 * 1024;

test('A changed OTLP request is refused, or goes through decoding, conversion and encoding, and leaves no memory behind', () => {
  const check = (numRuns: number): void | Promise<void> =>
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.constantFrom(...corpus),
        arbitraryMutations,
        (bytes, donor, mutations) => {
          assertFit(mutateProto(bytes, donor, mutations));
        },
      ),
      { ...fuzzing(numRuns), numRuns },
    );
  check(2000);
  const heapBefore = heapBytes();
  check(fuzzing(3000).numRuns);
  const growth = heapBytes() - heapBefore;
  assert.ok(growth < heapGrowthBytesMax, `the heap grew by ${growth} bytes`);
});

function assertFit(bytes: Uint8Array): void {
  const inspected = outcomeOf(() => inspectTraces(bytes));
  const decoded = outcomeOf(() => decodeTraces(bytes));
  assert.equal(decoded.refusal, inspected.refusal);
  if (!decoded.value || !inspected.value) return;
  assert.equal(decoded.value.length, inspected.value.spans - inspected.value.rejected);
  assert.deepEqual(decodeTraces(encodeTraces(decoded.value)), decoded.value);
  if (isConverted(bytes)) assertTrips(decoded.value);
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
