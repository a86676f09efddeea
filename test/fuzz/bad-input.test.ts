import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decodeSegments,
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  inspectTraces,
  inspectTracesJson,
  jsonText as json,
  parseJson,
} from '../../src/codec/index.ts';
import { inspectSegment, joinSegments, splitSegments } from '../../src/codec/segment.ts';
import { decodeDatagram, encodeDatagram } from '../../src/codec/udp.ts';
import { toSpans } from '../../src/convert/index.ts';
import { toBytes } from '../support/bytes.ts';
import { type HostileInput, hostileInputs } from '../support/hostile.ts';
import { outcomeOf } from '../support/outcome.ts';
import { readSample } from '../support/samples.ts';
import { telemetrySpans } from '../support/telemetry.ts';
import { assertDocumentTrips, assertTrips } from '../support/trips.ts';

/** Whatever comes in, the answer is right or a refusal that says why. */

const sizeBytes = 16 * 1024;
const inputs = hostileInputs(sizeBytes);

const decoders: Readonly<Record<HostileInput['format'], (bytes: Uint8Array) => readonly unknown[]>> = {
  otlp_proto: decodeTraces,
  otlp_json: decodeTracesJson,
  segments: decodeSegments,
};

describe('Input that was made to do harm is read or refused with a reason', () => {
  for (const { format, name, bytes, answer } of inputs) {
    test(`${format}: ${name}`, () => {
      const outcome = outcomeOf(() => decoders[format](bytes).length);
      if (typeof answer === 'number') assert.deepEqual(outcome, { value: answer });
      else assert.match(outcome.refusal ?? 'taken', answer);
    });
  }
});

test('Inspection takes what decoding takes, and refuses the rest with the same words', () => {
  for (const { format, bytes } of inputs) {
    if (format === 'segments') continue;
    const [inspect, decode] =
      format === 'otlp_proto' ? [inspectTraces, decodeTraces] : [inspectTracesJson, decodeTracesJson];
    const inspected = outcomeOf(() => inspect(bytes));
    const decoded = outcomeOf(() => decode(bytes).length);
    assert.equal(inspected.refusal, decoded.refusal);
    if (inspected.value) assert.equal(inspected.value.spans - inspected.value.rejected, decoded.value);
  }
});

test('Input of one format is refused, or read without harm, as any other', () => {
  for (const { bytes } of inputs) {
    for (const read of [
      decodeTraces,
      decodeTracesJson,
      decodeSegments,
      parseJson,
      splitSegments,
      decodeDatagram,
      inspectSegment,
    ])
      outcomeOf(() => read(bytes));
    outcomeOf(() => decodeDatagram(encodeDatagram(bytes)));
  }
});

test('A segment document that is taken can be decoded, and its span is there', () => {
  for (const { bytes } of inputs)
    for (const rules of ['api', 'datagram'] as const) {
      const inspected = inspectSegment(bytes, { rules });
      if (!inspected.ok) continue;
      const documents = decodeSegments(joinSegments(inspected.documents));
      assert.equal(documents.length, inspected.documents.length);
      assert.equal(
        toSpans(documents, { json }).problems.some(({ lost }) => lost === 'document'),
        false,
      );
    }
});

describe('What could be read of such input goes through the conversion', () => {
  for (const { format, name, bytes, answer } of inputs) {
    // Thousands of empty subsegments take seconds, and are no other than one.
    if (typeof answer !== 'number' || name === 'empty subsegments') continue;
    test(`${format}: ${name}`, () => {
      if (format === 'segments') assertDocumentTrips(decodeSegments(bytes));
      else assertTrips(format === 'otlp_proto' ? decodeTraces(bytes) : decodeTracesJson(bytes));
    });
  }
});

test('A request is cut at each byte and refused, or read up to there', () => {
  const spans = telemetrySpans(3);
  const proto = encodeTraces(spans);
  for (let length = 0; length <= proto.length; length++)
    assertAtMost(outcomeOf(() => decodeTraces(proto.subarray(0, length)).length).value, spans.length);

  const text = toBytes(encodeTracesJson(spans));
  for (let length = 0; length < text.length; length++)
    assert.match(
      outcomeOf(() => decodeTracesJson(text.subarray(0, length))).refusal ?? 'taken',
      /^OTLP JSON, byte \d+/,
    );
});

test('A document or a datagram is cut at each byte and refused', () => {
  const document = toBytes(readSample('awsValidAwsFields').trim());
  for (let length = 0; length < document.length; length++) {
    const cut = document.subarray(0, length);
    assert.equal(inspectSegment(cut).ok, false);
    assert.match(outcomeOf(() => decodeSegments(cut)).refusal ?? 'taken', /^segment document, byte \d+/);
  }
  const datagram = encodeDatagram(document);
  for (let length = 0; length < datagram.length; length++) {
    const cut = datagram.subarray(0, length);
    const { value } = outcomeOf(() => decodeDatagram(cut));
    if (value?.kind === 'segments') assert.equal(inspectSegment(value.body).ok, false);
  }
});

test('A document that X-Ray would refuse does not cost its neighbours', () => {
  const good = toBytes(readSample('segmentWithParentId').trim());
  const documents = [good, toBytes('{}'), toBytes('{"trace_id":5,"subsegments":[[]],"cause":7}'), good];
  const { spans, problems } = toSpans(decodeSegments(joinSegments(documents)), { json });
  const [alone] = toSpans(decodeSegments(good), { json }).spans;
  assert.deepEqual(
    spans.filter((span) => span.traceId === alone?.traceId),
    [alone, alone],
  );
  assert.deepEqual(
    problems.map(({ pointer, lost }) => ({ pointer, lost })),
    [
      { pointer: '/1', lost: 'document' },
      { pointer: '/2', lost: 'document' },
    ],
  );
});

test('No input leaves anything on the prototype of objects', () => {
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal('admin' in {}, false);
});

function assertAtMost(value: number | undefined, max: number): void {
  assert.ok(value === undefined || value <= max, `expected at most ${max}, got ${value}`);
}
