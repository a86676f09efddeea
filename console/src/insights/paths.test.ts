import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathsToCause } from './paths.ts';

/** `{ a: 'bc' }`: a calls b and c. */
function graphOf(calls: Readonly<Record<string, string>>) {
  const names = Object.keys(calls);
  return names.map((Name, ReferenceId) => ({
    ReferenceId,
    Name,
    Names: [Name],
    Edges: [...(calls[Name] ?? '')].map((callee) => ({ ReferenceId: names.indexOf(callee) })),
  }));
}

const pathsOf = (calls: Readonly<Record<string, string>>, cause: string) =>
  pathsToCause(graphOf(calls), { Name: cause }).map((path) => path.map(({ Name }) => Name).join(''));

describe('the path to the root cause', () => {
  it('leads from each entry down, the shortest first and each by its shortest way', () => {
    assert.deepEqual(pathsOf({ a: 'bd', b: 'c', c: 'd', d: '', e: 'd', f: 'c' }, 'd'), ['ad', 'ed', 'fcd']);
  });

  it('is the root cause alone when nobody calls it, or only a circle does', () => {
    assert.deepEqual(pathsOf({ a: 'b', b: '' }, 'a'), ['a']);
    assert.deepEqual(pathsOf({ a: 'a' }, 'a'), ['a']);
    assert.deepEqual(pathsOf({ a: 'b', b: 'a' }, 'a'), ['a']);
  });

  it('is not there when the graph no longer has the root cause', () => {
    assert.deepEqual(pathsOf({ a: '' }, 'x'), []);
    assert.deepEqual(pathsToCause([], { Name: 'x' }), []);
  });
});
