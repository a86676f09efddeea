import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findMatches } from './find.ts';
import { toRows } from './rows.ts';
import { toTree } from './tree.ts';

describe('search inside a trace', () => {
  const document = {
    name: 'shop',
    start_time: 1,
    end_time: 3,
    annotations: { tenant: 'Acme' },
    subsegments: [{ name: 'price.example', start_time: 1, end_time: 2, http: { response: { status: 502 } } }],
  };
  const rows = toRows(toTree([{ Id: 'a', Document: JSON.stringify(document) }]), {
    collapsed: new Set(),
    hideInferred: false,
  });

  it('finds names, and values anywhere in a document, in any case', () => {
    assert.deepEqual(findMatches(rows, 'PRICE'), [1]);
    assert.deepEqual(findMatches(rows, 'acme'), [0]);
    assert.deepEqual(findMatches(rows, '502'), [1]);
  });

  it('wants every word in one row', () => {
    assert.deepEqual(findMatches(rows, 'price 502'), [1]);
    assert.deepEqual(findMatches(rows, 'acme 502'), []);
  });

  it('finds nothing for nothing', () => {
    assert.deepEqual(findMatches(rows, '  '), []);
  });
});
