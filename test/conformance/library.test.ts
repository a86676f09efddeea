import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { rootPath } from '../support/root.ts';

/** A program of the page, and what the page says it prints. */
interface Example {
  readonly heading: string;
  readonly program: string;
  readonly printed: string;
}

const page = readFileSync(rootPath('docs', 'library.md'), 'utf8');

describe('docs/library.md', () => {
  // Only below the root of the package its own name leads to it, by way of "exports".
  const folder = mkdtempSync(rootPath('dist', 'library-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [i, { heading, program, printed }] of examplesOf(page).entries()) {
    it(`tells what its program prints: ${heading}`, async () => {
      const file = join(folder, `example-${i}.mjs`);
      writeFileSync(file, program);
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
      assert.deepEqual({ stdout, stderr }, { stdout: printed, stderr: '' });
    });
  }

  it('is right that types are included, and that they tell what is wrong', async () => {
    const file = join(folder, 'typed.mts');
    writeFileSync(file, typedProgram);
    const tsc = rootPath('node_modules', 'typescript', 'bin', 'tsc');
    const words = ['--noEmit', '--ignoreConfig', '--strict', '--module', 'nodenext', '--target', 'es2023', file];
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, ...words]).catch((error) => error);
    assert.match(stdout, /^[^\n]*typed\.mts\(9,7\): error TS2322: [^\n]*\n$/);
  });

  it('has an example for every program in it', () => {
    assert.equal(examplesOf(page).length, page.split('\n').filter((line) => line.startsWith('```js')).length);
    assert.ok(examplesOf(page).length >= 5);
  });
});

/** Right but for its line 9. */
const typedProgram = `import { decodeTraces, jsonText as json, printSegment } from 'raybridge/codec';
import { type SegmentOptions, toSegments } from 'raybridge/convert';
import { type Span, SpanKind } from 'raybridge/model';
import { summarise } from 'raybridge/query';
const options: Partial<SegmentOptions> = { envelope: 'off', annotations: { indexed: ['a'] } };
const spans: readonly Span[] = decodeTraces(new Uint8Array());
export const texts: readonly string[] = toSegments(spans, { ...options, json }).map(printSegment);
export const known = [SpanKind.server, summarise];
const wrong: number = spans[0]?.startTimeNs ?? 0n;
export default wrong;
`;

function examplesOf(text: string): readonly Example[] {
  const pattern = /^## ([^\n]+)$|^```js\n(.*?)^```\n\nIt prints\n\n```text\n(.*?)^```$/gms;
  const examples: Example[] = [];
  let heading = '';
  for (const [, title, program, printed] of text.matchAll(pattern)) {
    heading = title ?? heading;
    if (program !== undefined && printed !== undefined) examples.push({ heading, program, printed });
  }
  return examples;
}
