import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { openOutput } from './output.ts';

describe('the output', () => {
  it('waits until its reader has taken what was written', async () => {
    let take = (): void => assert.fail('nothing was written');
    const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void (take = done) });
    let isWritten = false;
    const writing = openOutput(stream)
      .write(['a', new Uint8Array(1)])
      .then(() => (isWritten = true));
    await Promise.resolve();
    assert.equal(isWritten, false);
    take();
    assert.equal(await writing, true);
  });

  it('is closed without an error when its reader went away, and takes no more', async () => {
    const { output, texts } = failing('EPIPE');
    await output.write(['a']);
    await output.write(['b']);
    assert.deepEqual(
      { closed: output.isClosed, error: output.error, texts },
      { closed: true, error: undefined, texts: ['a\n'] },
    );
  });

  it('is closed with the error of a full disk', async () => {
    const { output } = failing('ENOSPC');
    await output.write(['a']);
    assert.deepEqual({ closed: output.isClosed, error: output.error?.message }, { closed: true, error: 'ENOSPC' });
  });
});

function failing(code: string): { readonly output: ReturnType<typeof openOutput>; readonly texts: readonly string[] } {
  const texts: string[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      setImmediate(done, Object.assign(new Error(code), { code }));
    },
  });
  return { output: openOutput(stream), texts };
}
