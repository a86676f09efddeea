import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawnUntil, isRunning } from './running.ts';
import { toTree } from './tree.ts';

describe('a trace in progress', () => {
  const tree = toTree([
    { Id: 'a', Document: '{"id":"a","name":"a","start_time":1000,"in_progress":true}' },
    { Id: 'b', Document: '{"id":"b","name":"b","start_time":1001,"end_time":1002}' },
  ]);

  it('grows with the clock', () => {
    assert.equal(isRunning(tree, 1010), true);
    assert.equal(drawnUntil(tree, 1010), 1010);
  });

  it('is given up after an hour, and drawn up to the last thing known', () => {
    assert.equal(isRunning(tree, 9000), false);
    assert.equal(drawnUntil(tree, 9000), 1002);
  });

  it('does not end before what has ended, when the clocks differ', () => {
    assert.equal(drawnUntil(tree, 1000.5), 1002);
  });
});
