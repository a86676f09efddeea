import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFilter } from '../../../src/query/index.ts';
import { apply, completingAt, wordsFor } from './complete.ts';

/** `|` is the cursor. */
function at(marked: string) {
  const cursor = marked.indexOf('|');
  return completingAt(marked.replace('|', ''), cursor);
}

describe('completion', () => {
  it('knows a keyword, a key and a value by what stands before the cursor', () => {
    assert.deepEqual(at('fau|'), { kind: 'word', from: 0, prefix: 'fau' });
    assert.deepEqual(at('fault AND resp|'), { kind: 'word', from: 10, prefix: 'resp' });
    assert.deepEqual(at('!(http.st|'), { kind: 'word', from: 2, prefix: 'http.st' });
    assert.deepEqual(at('annotation.|'), { kind: 'key', from: 11, prefix: '' });
    assert.deepEqual(at('ok OR annotation.ten| = 5'), { kind: 'key', from: 17, prefix: 'ten' });
    assert.deepEqual(at('annotation.tenant = "ac|'), { kind: 'value', from: 20, prefix: 'ac', key: 'tenant' });
    assert.deepEqual(at('annotation[a b]="|"'), { kind: 'value', from: 16, prefix: '', key: 'a b' });
  });

  it('suggests nothing where nothing can be known', () => {
    for (const marked of ['|', 'responsetime > 5|', 'http.url = "htt|', 'fault |']) assert.equal(at(marked), undefined);
  });

  it('suggests words that begin so, as they go on', () => {
    assert.deepEqual(
      wordsFor('resp').map(({ text }) => text),
      ['responsetime >= '],
    );
    assert.ok(wordsFor('a').some(({ text }) => text === 'annotation.'));
    assert.deepEqual(wordsFor('fault'), [], 'nothing that is there already');
    for (const { text } of wordsFor('').filter(({ text }) => !/[ ."(]$/.test(text))) parseFilter(text);
  });

  it('puts the suggestion in place', () => {
    const text = 'fault AND annotation.tenant = "a" AND ok';
    const cursor = 32;
    const completing = completingAt(text, cursor);
    assert.ok(completing);
    const suggestion = { label: 'acme', text: '"acme"', note: '' };
    assert.deepEqual(apply(text, { completing, suggestion, cursor }), {
      text: 'fault AND annotation.tenant = "acme" AND ok',
      cursor: 36,
    });
  });
});
