import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFilter } from '../../../src/query/index.ts';
import {
  annotationFilter,
  both,
  edgeFilter,
  outcomeCondition,
  responseTimeCondition,
  serviceFilter,
  withoutEach,
} from './expression.ts';

const carts = { name: 'carts', type: 'AWS::DynamoDB::Table', accountId: undefined };
const shop = { name: 'a"b', type: undefined, accountId: undefined };

describe('filter expressions of the console', () => {
  it('name a node by what is known of it', () => {
    assert.equal(
      serviceFilter(carts, outcomeCondition('fault')),
      'service(id(name: "carts", type: "AWS::DynamoDB::Table")) { fault }',
    );
    assert.equal(serviceFilter(shop), String.raw`service("a\"b")`);
  });

  it('name a call by both ends', () => {
    assert.equal(
      edgeFilter(shop, carts, responseTimeCondition({ from: 0.1, to: 2 })),
      String.raw`edge("a\"b", id(name: "carts", type: "AWS::DynamoDB::Table")) { responsetime >= 0.1 AND responsetime <= 2 }`,
    );
  });

  it('pick each request by its most severe flag', () => {
    assert.equal(
      serviceFilter(shop, outcomeCondition('error')),
      String.raw`service("a\"b") { error AND !throttle AND !fault }`,
    );
    assert.equal(serviceFilter(shop, outcomeCondition('ok')), String.raw`service("a\"b") { ok }`);
  });

  it('name an annotation with any key', () => {
    assert.equal(annotationFilter('items', 3), 'annotation.items = 3');
    assert.equal(annotationFilter('aws.local.operation', 'GET /'), 'annotation[aws.local.operation] = "GET /"');
  });

  it('can all be read', () => {
    for (const outcome of ['ok', 'error', 'throttle', 'fault'] as const) {
      parseFilter(serviceFilter(carts, outcomeCondition(outcome)));
      parseFilter(edgeFilter(shop, carts, outcomeCondition(outcome)));
    }
  });

  it('are joined without changing what the first one means', () => {
    assert.equal(both('', 'fault'), 'fault');
    assert.equal(both('user = "a"', 'fault'), 'user = "a" AND fault');
    assert.equal(both('ok or error', 'partial'), '(ok OR error) AND partial');
    assert.equal(both('=broken', 'partial'), 'partial');
  });

  it('lose one condition at a time', () => {
    assert.deepEqual(withoutEach('fault user = "a" responsetime > 1'), [
      { dropped: 'fault', rest: 'user = "a" AND responsetime > 1' },
      { dropped: 'user = "a"', rest: 'fault AND responsetime > 1' },
      { dropped: 'responsetime > 1', rest: 'fault AND user = "a"' },
    ]);
    assert.deepEqual(withoutEach('fault OR ok'), []);
    assert.deepEqual(withoutEach('=='), []);
  });
});
