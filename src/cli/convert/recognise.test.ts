import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { toBytes } from '../../../test/support/bytes.ts';
import { type Found, recognise, type Side } from './recognise.ts';

describe('recognition', () => {
  const document = '{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8"}';
  const answer = JSON.stringify({ Traces: [{ Segments: [{ Document: document }, { Document: document }] }] });

  it('finds what stands before the place where an answer is cut off, and tells of the place', () => {
    const ends = [...answer.matchAll(/\}"/g)].map(({ index }) => index + 2);
    for (let length = 1; length < answer.length; length++) {
      const found = find(answer.slice(0, length));
      const whole = ends.filter((end) => end <= length).length;
      assert.deepEqual(
        found.map(({ kind }) => kind),
        [...Array.from({ length: whole }, () => 'document'), 'bad'],
        `cut after ${length} bytes`,
      );
    }
    assert.equal(find(answer)[1]?.place.pointer, '/Traces/0/Segments/1/Document');
  });

  it('takes a document for one although a member of it is called like a wrapper', () => {
    const odd = document.replace('}', `,"Document":${JSON.stringify(document)}}`);
    assert.deepEqual(
      find(odd).map((found) => found.kind === 'document' && Buffer.from(found.bytes).toString()),
      [odd],
    );
  });

  it('stops at more things than memory should hold', () => {
    const found = find(`[${'{},'.repeat(1_000_000)}{}]`);
    assert.equal(found.length, 1_000_001);
    const last = found.at(-1);
    assert.equal(last?.kind === 'bad' && last.complaint, 'expected at most 1000000 requests and documents, got more');
  });

  it('does not take nesting for an attack on itself', () => {
    for (const open of ['[', '{"Traces":[', '{"a":']) {
      assert.deepEqual(
        find(open.repeat(100_000)).map(({ kind }) => kind),
        ['bad'],
      );
    }
    let text = document;
    for (let i = 0; i < 3; i++) text = JSON.stringify(text);
    assert.equal(find(text)[0]?.kind, 'bad');
  });

  it('never throws, whatever a piece holds', () => {
    const wrapperNames = fc.constantFrom(
      'Traces',
      'Segments',
      'Document',
      'TraceSegmentDocuments',
      'resourceSpans',
      'id',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(wrapperNames, tie('value'), { maxKeys: 3 }),
        tie('value').map((inner) => JSON.stringify(inner)),
      ),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          value.map((json) => toBytes(JSON.stringify(json))),
          fc.uint8Array(),
        ),
        fc.nat({ max: 200 }),
        fc.constantFrom<Side | undefined>(undefined, 'otlp', 'xray'),
        (bytes, cut, from) => {
          recognise({ kind: 'json', bytes: bytes.subarray(0, bytes.length - cut), line: 1 }, from);
        },
      ),
    );
  });
});

function find(text: string): readonly Found[] {
  return recognise({ kind: 'json', bytes: toBytes(text), line: 1 }, undefined);
}
