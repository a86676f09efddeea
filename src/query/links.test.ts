import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SegmentDocument, Trace } from '../model/index.ts';
import { createLinkList } from './links.ts';
import { parseDocument } from './shop.fixture.test.ts';
import { assembleTrace } from './trace.ts';

const service = { name: 'consumer', type: 'AWS::Lambda', accountId: undefined };

function consumer(traceId: string, links: readonly unknown[]): Trace {
  return assembleTrace(traceId, [documentOf({ links })]);
}

function documentOf(members: object): SegmentDocument {
  const document = {
    id: '1'.repeat(16),
    name: 'consumer',
    origin: 'AWS::Lambda',
    start_time: 1,
    end_time: 2,
    ...members,
  };
  return parseDocument(JSON.stringify(document));
}

function traceId(number: number): string {
  return `f${number.toString(16).padStart(31, '0')}`;
}

function link(to: number, type?: string): object {
  const attributes = type === undefined ? {} : { 'aws.xray.reserved.reference_type': type };
  return { trace_id: traceId(to), id: '2'.repeat(16), attributes };
}

describe('links between traces', () => {
  test('stand with the service that carries them, by trace and type', () => {
    const links = createLinkList();
    links.add(
      consumer(traceId(1), [link(2, 'parent'), link(3, 'parent'), link(2, 'parent'), link(4, 'child'), link(5)]),
    );
    links.add(consumer(traceId(6), [link(7, 'parent')]));
    assert.deepEqual(links.of(service), [
      { type: 'parent', from: traceId(1), to: [traceId(2), traceId(3)] },
      { type: 'child', from: traceId(1), to: [traceId(4)] },
      { type: undefined, from: traceId(1), to: [traceId(5)] },
      { type: 'parent', from: traceId(6), to: [traceId(7)] },
    ]);
    assert.deepEqual(links.of({ ...service, name: 'other' }), []);
  });

  test('that lead nowhere are left out', () => {
    const links = createLinkList();
    links.add(consumer(traceId(1), ['x', null, {}, { trace_id: 5 }, { trace_id: 'x' }]));
    assert.deepEqual(links.of(service), []);
  });

  test('are a hundred of a service at most, each with a hundred traces', () => {
    const links = createLinkList();
    for (let from = 0; from < 120; from += 1) {
      links.add(
        consumer(
          traceId(from),
          Array.from({ length: 120 }, (_, to) => link(to, 'parent')),
        ),
      );
    }
    const all = links.of(service);
    assert.equal(all.length, 100);
    assert.ok(all.every(({ to }) => to.length === 100));
  });
});
