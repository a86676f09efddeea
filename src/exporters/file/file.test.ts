import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import { type Delivering, startDelivering } from '../../../test/support/delivering.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { testSpan } from '../../../test/support/span.ts';
import { decodeTraces, decodeTracesJson, encodeTraces } from '../../codec/index.ts';
import { emptyResource, type Span } from '../../model/index.ts';
import { fileExporter } from './index.ts';

describe('the file exporter', () => {
  let folder: string;
  let path: string;
  let running: Delivering | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'raybridge-file-'));
    path = join(folder, 'traces.jsonl');
    running = undefined;
  });
  afterEach(async () => {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(config: object): Promise<Delivering> {
    const parsed = fileExporter.configSchema.parse({ path, ...config });
    running = await startDelivering(({ context }) => fileExporter.create({ config: parsed, context }));
    return running;
  }

  /** One request for each name. */
  async function write(config: object, names: readonly string[]): Promise<void> {
    const delivering = await start(config);
    for (const name of names) await put(delivering, [testSpan({ name })]);
    await delivering.settled();
    await delivering.stop();
    running = undefined;
  }

  const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const namesIn = (file: string) =>
    linesOf(file).map((line) =>
      decodeTracesJson(Buffer.from(line))
        .map(({ name }) => name)
        .join(),
    );

  it('writes a line of OTLP/JSON for each request, which only its owner reads', async () => {
    await write({}, ['one', 'two']);
    assert.deepEqual(namesIn(path), ['one', 'two']);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('begins anew at a start, or goes on', async () => {
    await write({}, ['one']);
    await write({ append: true }, ['two']);
    assert.deepEqual(namesIn(path), ['one', 'two']);
    await write({}, ['three']);
    assert.deepEqual(namesIn(path), ['three']);
  });

  it('ends the part of a line that a crash left behind', async () => {
    await write({ append: true }, ['one']);
    await appendFile(path, '{"resourceSpans":[{"res');
    await write({ append: true }, ['two']);
    const [, broken, last = ''] = linesOf(path);
    assert.equal(broken, '{"resourceSpans":[{"res');
    assert.deepEqual(
      decodeTracesJson(Buffer.from(last)).map(({ name }) => name),
      ['two'],
    );
  });

  it('writes protobuf behind its length, and cuts off a part that a crash left behind', async () => {
    const config = { format: 'proto', append: true };
    await write(config, ['one', 'two']);
    await appendFile(path, Buffer.from([0, 0, 1, 0, 7]));
    await write(config, ['three']);
    assert.deepEqual(
      framesOf(readFileSync(path)).map((frame) => decodeTraces(frame)[0]?.name),
      ['one', 'two', 'three'],
    );
  });

  it('compresses each message, where Node.js can', async () => {
    if (!('zstdDecompressSync' in zlib)) {
      assert.throws(() => create({ compression: 'zstd' }), { code: 'CONFIG_INVALID' });
      return;
    }
    await write({ compression: 'zstd' }, ['one', 'two']);
    const decompress = zlib.zstdDecompressSync as (bytes: Uint8Array) => Buffer;
    assert.deepEqual(
      framesOf(readFileSync(path)).map((frame) => decodeTracesJson(decompress(frame))[0]?.name),
      ['one', 'two'],
    );
  });

  it('renames a file that is full, and keeps as many as wanted', async () => {
    const old = join(folder, 'traces-2001-01-01T00-00-00.000.jsonl');
    const other = join(folder, 'traces-not-ours.jsonl');
    await writeFile(old, 'x\n');
    await writeFile(other, 'x\n');
    const long = 'x'.repeat(600_000);
    await write(
      { rotation: { max_megabytes: 1, max_backups: 2 } },
      ['a', 'b', 'c', 'd'].map((name) => name + long),
    );
    const backups = readdirSync(folder).filter((file) => /^traces-\d{4}.*\.\d{3}\.jsonl$/.test(file));
    assert.equal(backups.length, 2);
    assert.ok(!existsSync(old) && existsSync(other));
    const names = [...backups.toSorted().map((file) => join(folder, file)), path].flatMap(namesIn);
    assert.deepEqual(
      names.map((name) => name[0]),
      ['b', 'c', 'd'],
    );
    await write({ rotation: { max_days: 1 } }, ['e']);
    assert.equal(namesIn(path).length, 2, 'a file with room is gone on with');
  });

  it('writes a file for each value of a resource attribute, none outside the folder, and buries what has none', async () => {
    path = join(folder, 'by', '*.jsonl');
    const delivering = await start({ group_by: { enabled: true, resource_attribute: 'team', max_open_files: 1 } });
    const spanOf = (team: string | undefined, name: string): Span =>
      testSpan({
        name,
        resource: { ...emptyResource, attributes: new Map(team === undefined ? [] : [['team', team]]) },
      });
    const spans = [
      spanOf('red', '1'),
      spanOf('blue', '2'),
      spanOf('red', '3'),
      spanOf('../../../escape', '4'),
      spanOf(undefined, '5'),
      spanOf('', '6'),
    ];
    await put(delivering, spans);
    await put(delivering, [spanOf('red', '7')]);
    await delivering.settled();
    assert.deepEqual(namesIn(join(folder, 'by', 'red.jsonl')), ['1,3', '7']);
    assert.deepEqual(namesIn(join(folder, 'by', 'blue.jsonl')), ['2']);
    assert.deepEqual(namesIn(join(folder, 'by', 'escape.jsonl')), ['4']);
    assert.deepEqual([...delivering.deadLetters()], [['NO_PATH_SEGMENT', 2]]);
  });

  it('does not start when the file cannot be opened, and tries again when it fails later', async () => {
    path = join(folder, 'missing', 'traces.jsonl');
    await assert.rejects(create({}).start(), {
      code: 'DESTINATION_UNAVAILABLE',
      message: /missing\/traces\.jsonl: ENOENT/,
    });
    path = join(folder, 'sub', '*.jsonl');
    await mkdir(join(folder, 'sub'));
    const delivering = await start({ group_by: { enabled: true, resource_attribute: 'service.name' } });
    // A folder stands where the file would.
    const file = join(folder, 'sub', 'shop.jsonl');
    await mkdir(file);
    await put(delivering, [
      testSpan({ resource: { ...emptyResource, attributes: new Map([['service.name', 'shop']]) } }),
    ]);
    await eventually('a failure', async () => delivering.pauses.length > 2 || undefined);
    rmSync(file, { recursive: true });
    await delivering.settled();
    assert.equal(linesOf(file).length, 1);
  });

  const refused: readonly (readonly [object, RegExp])[] = [
    [{ path: '' }, /path must be non-empty/],
    [{ format: 'xml' }, /format type is not supported/],
    [{ compression: 'gzip' }, /compression is not supported/],
    [{ append: true, compression: 'zstd' }, /append and compression enabled at the same time/],
    [{ append: true, rotation: {} }, /append and rotation enabled at the same time/],
    [{ group_by: { enabled: true } }, /exactly one \*/],
    [{ directory_permissions: '9' }, /octal/],
  ];
  for (const [config, message] of refused) {
    it(`refuses ${JSON.stringify(config)}`, () => {
      assert.throws(() => fileExporter.configSchema.parse({ path: 'x', ...config }), message);
    });
  }

  function create(config: object) {
    const parsed = fileExporter.configSchema.parse({ path, ...config });
    return fileExporter.create({ config: parsed, context: undefined as never });
  }
});

async function put(delivering: Delivering, spans: readonly Span[]): Promise<void> {
  await delivering.put({ format: 'otlp_proto', body: encodeTraces(spans), items: spans.length });
}

function framesOf(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += 4 + bytes.readUInt32BE(start)) {
    frames.push(bytes.subarray(start + 4, start + 4 + bytes.readUInt32BE(start)));
  }
  return frames;
}
