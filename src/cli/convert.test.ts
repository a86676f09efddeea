import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { rootPath } from '../../test/support/root.ts';
import { readRecorded } from '../../test/support/samples.ts';
import { testSpan } from '../../test/support/span.ts';
import { telemetrySpans } from '../../test/support/telemetry.ts';
import {
  decodeSegments,
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  jsonText,
} from '../codec/index.ts';
import { encodeBase64 } from '../codec/base64.ts';
import { toSegments, toSpans } from '../convert/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'raybridge-convert-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const segment = `{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8","name":"shop","start_time":1.478293361271E9,"end_time":1478293361.5}`;
const other = segment.replace('53995c3f42cd8ad8', '53995c3f42cd8ad9');
const header = '{"format":"json","version":1}';

const span = testSpan({ attributes: new Map<string, string | bigint>([['n', 9007199254740993n]]) });
const request = encodeTracesJson([span]);
const emptyAttributes = '{"key":"k","value":{"stringValue":7}}';

describe('raybridge convert recognises', () => {
  const pretty = (...texts: readonly string[]): string =>
    texts.map((text) => JSON.stringify(JSON.parse(text), undefined, 4)).join('\n');
  const answer = JSON.stringify({
    Traces: [{ Id: 'x', Segments: [{ Id: 'a', Document: segment }] }, { Segments: [{ Document: other }] }],
    UnprocessedTraceIds: [],
  });
  const documentForms: readonly (readonly [name: string, input: string])[] = [
    ['documents one a line', `${segment}\n${other}\n`],
    ['documents one a line, with line ends of Windows and no last one', `${segment}\r\n\r\n${other}`],
    ['pretty-printed documents, one after the other', pretty(segment, other)],
    ['an array of documents', `[${segment},${other}]`],
    ['an array of the texts of documents', JSON.stringify([segment, other])],
    ['the text of a document a line', `${JSON.stringify(segment)}\n${JSON.stringify(other)}`],
    ['the body of PutTraceSegments', JSON.stringify({ TraceSegmentDocuments: [segment, other] })],
    ['an answer of BatchGetTraces', answer],
    ['an answer of BatchGetTraces as the AWS CLI prints it', pretty(answer)],
    [
      'the segments of such an answer',
      `{"Document":${JSON.stringify(segment)}}\n{"Document":${JSON.stringify(other)}}`,
    ],
    ['what goes over UDP', `${header}\n${segment}\n${header}\n${other}\n`],
  ];
  for (const [name, input] of documentForms) {
    it(name, async () => {
      const { code, stdout, stderr } = await run(['--to', 'xray'], input);
      const documents = [segment, other].map((text) => JSON.parse(text));
      assert.deepEqual({ code, stderr, documents: linesOf(stdout) }, { code: 0, stderr: '', documents });
    });
  }

  const requestForms: readonly (readonly [name: string, input: string | Uint8Array])[] = [
    ['an OTLP request in JSON', request],
    ['a pretty-printed OTLP request', pretty(request)],
    ['an array of OTLP requests', `[${request}]`],
    ['an OTLP request in protobuf', encodeTraces([span])],
    ['gzip', gzipSync(encodeTraces([span]))],
    ['gzip of JSON', gzipSync(request)],
    ['OTLP as it goes over UDP', `${header}\nT1S${encodeBase64(encodeTraces([span]))}\n`],
  ];
  for (const [name, input] of requestForms) {
    it(name, async () => {
      const { code, stdout, stderr } = await run(['--proto'], input);
      assert.deepEqual({ code, stderr, spans: decodeTraces(stdout) }, { code: 0, stderr: '', spans: [span] });
    });
  }

  it('requests one a line, as the file exporter of the Collector writes them', async () => {
    const { stdout } = await run([], `${request}\n${request}\n`);
    const [document] = toSegments([span], { json: jsonText });
    const lines = stdout.toString().trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => decodeSegments(Buffer.from(line))),
      [[document], [document]],
    );
  });

  it('nothing in nothing', async () => {
    const { code, stdout } = await run([], '\n \n');
    assert.deepEqual({ code, stdout: stdout.toString() }, { code: 0, stdout: '' });
  });

  it('a file of each kind beside the other, and turns each into the other', async () => {
    const [segments, requests] = [join(folder, 'segments.json'), join(folder, 'requests.pb')];
    writeFileSync(segments, segment);
    writeFileSync(requests, encodeTraces([span]));
    const lines = linesOf((await run([segments, requests], '')).stdout);
    assert.deepEqual(
      lines.map((line) => Object.hasOwn(line, 'resourceSpans')),
      [true, false],
    );
  });
});

describe('raybridge convert writes', () => {
  it('one OTLP request for each piece that it read', async () => {
    const { stdout } = await run([], `[${segment},${other}]\n${segment}\n`);
    const counts = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => decodeTracesJson(Buffer.from(line)).length);
    assert.deepEqual(counts, [2, 1]);
  });

  it('one protobuf request in all, however many pieces it read', async () => {
    const { stdout } = await run(['--proto'], `${segment}\n${other}\n`);
    const { spans } = toSpans(decodeSegments(Buffer.from(`[${segment},${other}]`)), { json: jsonText });
    assert.deepEqual(
      decodeTraces(stdout).map(({ spanId }) => spanId),
      spans.map(({ spanId }) => spanId),
    );
  });

  it('recorded traces as OTLP and back without loss', async () => {
    const documents = readRecorded('batchgettraces').flatMap((trace) => trace.documents);
    const otlp = await run(['--proto', rootPath('test/fixtures/xray-segments/batchgettraces.json')], '');
    const back = await run([], otlp.stdout);
    assert.deepEqual(
      linesOf(back.stdout),
      documents.map((text) => JSON.parse(text)),
    );
  });

  it('spans for eyes and jq: names, exact times, plain attributes', async () => {
    const { stdout } = await run(['--to', 'spans'], request);
    assert.equal(
      stdout.toString(),
      '{"traceId":"5759e988bd862e3fe1be46a994272793","spanId":"53995c3f42cd8ad8","name":"GET /","kind":"server",' +
        '"start":"2023-11-14T22:13:20.000000000Z","end":"2023-11-14T22:13:21.000000000Z",' +
        '"startNs":"1700000000000000000","endNs":"1700000001000000000","durationMs":1000,"status":"unset",' +
        '"attributes":{"n":9007199254740993}}\n',
    );
  });

  it('a document in progress as a span without an end', async () => {
    const { stdout } = await run(['--to', 'spans'], segment.replace('"end_time":1478293361.5', '"in_progress":true'));
    const [printed] = linesOf(stdout);
    assert.deepEqual(
      { inProgress: printed?.['inProgress'], end: printed?.['end'] },
      { inProgress: true, end: undefined },
    );
  });

  it('documents by the policy, with the envelope and the annotations that are asked for', async () => {
    const words = ['--policy', 'collector', '--envelope', 'off', '--index', 'n'];
    const { stdout } = await run(words, request);
    const [document] = linesOf(stdout);
    assert.deepEqual(document?.['annotations'], { n: 9007199254740992 });
    assert.equal(document?.['metadata'], undefined);
    const all = linesOf((await run(['--index-all'], request)).stdout)[0];
    assert.deepEqual(all?.['annotations'], { n: 9007199254740992 });
  });
});

describe('raybridge convert tells of bad input', () => {
  const wrong = (text: string): string => request.replace(/\{"key":"n".*?\}\}/, text);

  it('with file, line and pointer, and converts what stands before and after it', async () => {
    const file = join(folder, 'spans.ndjson');
    const lines = [
      request,
      '{"resourceSpans":[{"scopeSpans":',
      request,
      'hello',
      wrong(emptyAttributes),
      '[1]',
      request,
    ];
    writeFileSync(file, lines.join('\n'));
    const { code, stdout, stderr } = await run([file], '');
    assert.equal(code, 1);
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      `error: ${file}:2: /resourceSpans/0/scopeSpans: expected a value, got the end of the text`,
      `error: ${file}:4: expected JSON or OTLP protobuf, got "h"`,
      `error: ${file}:5: /resourceSpans/0/scopeSpans/0/spans/0/attributes/0/value/stringValue: expected a string, got a number`,
      `error: ${file}:6: /0: expected an object, got a number`,
    ]);
    assert.equal(linesOf(stdout).length, 3);
  });

  it('inside of arrays and of texts, at the pointer into the whole', async () => {
    const bad = JSON.stringify({ TraceSegmentDocuments: [segment, '{"trace_id":', '{"id":"1"}', other] });
    const { code, stdout, stderr } = await run(['--to', 'spans'], bad);
    assert.equal(code, 1);
    assert.match(stderr, /stdin:1: \/TraceSegmentDocuments\/1\/trace_id: expected a value, got the end of the text/);
    assert.match(stderr, /stdin:1: \/TraceSegmentDocuments\/2: expected a trace id and a start/);
    assert.equal(linesOf(stdout).length, 2);
  });

  it('by the line of a pretty-printed document in which it stands', async () => {
    const { stderr } = await run([], `${segment}\n[\n  ${other},\n  {"foo": 1}\n]`);
    assert.match(stderr, /stdin:4: \/1: expected resourceSpans, a segment document .*, got an object with "foo"/);
  });

  it('in protobuf, by the byte', async () => {
    const { code, stderr } = await run([], encodeTraces([span]).subarray(0, 40));
    assert.equal(code, 1);
    assert.match(stderr, /^error: stdin: OTLP protobuf, byte \d+, TracesData\.resource_spans: expected /);
  });

  it('and of spans that have no ids', async () => {
    const nameless = request.replace('53995c3f42cd8ad8', '0000');
    const { code, stdout, stderr } = await run([], `${nameless}\n${request}`);
    assert.equal(code, 1);
    assert.match(stderr, /^error: stdin:1: 1 span left out: Span\.spanId of 4 characters$/m);
    assert.equal(linesOf(stdout).length, 1);
  });

  it('but only warns of a member that cannot be used, twenty times and then in sum', async () => {
    const odd = segment.replace('"name"', '"http":7,"name"');
    const { code, stdout, stderr } = await run([], Array.from({ length: 25 }, () => odd).join('\n'));
    const lines = stderr.trimEnd().split('\n');
    assert.equal(code, 0);
    assert.equal(lines[0], 'warning: stdin:1: /http: expected an object');
    assert.equal(lines[19], 'warning: stdin:20: /http: expected an object');
    assert.deepEqual(lines.slice(20), ['warning: 5 more, 25 in all']);
    assert.equal(linesOf(stdout).length, 25);
  });

  it('and of a file that is not there, and goes on with the next', async () => {
    const file = join(folder, 'there.json');
    writeFileSync(file, request);
    const { code, stdout, stderr } = await run([join(folder, 'none.json'), file], '');
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*none\.json: cannot be read: ENOENT/);
    assert.equal(linesOf(stdout).length, 1);
  });

  it('and of gzip that is cut off', async () => {
    const { code, stderr } = await run([], gzipSync(`${request}\n`.repeat(1000)).subarray(0, -10));
    assert.equal(code, 1);
    assert.match(stderr, /error: stdin: cannot be read: unexpected end of file/);
  });

  it('and of a line that is larger than memory should hold', async () => {
    const large = `{"resourceSpans":"${'x'.repeat(64 * 1024 * 1024)}"}`;
    const { code, stdout, stderr } = await run([], `${request}\n${large}\n${request}\n`);
    assert.equal(code, 1);
    assert.equal(stderr, 'error: stdin:2: expected at most 67108864 bytes in one line or document, got more\n');
    assert.equal(linesOf(stdout).length, 2);
  });

  it('when --from says what it is', async () => {
    assert.match((await run(['--from', 'xray'], '{"foo":1}')).stderr, /expected a trace id and a start/);
    assert.match((await run(['--from', 'xray'], encodeTraces([span]))).stderr, /expected segment documents/);
    assert.equal((await run(['--from', 'otlp'], '{"foo":1}')).code, 0);
  });

  it('but of a wrong command line with exit code 2', async () => {
    for (const words of [
      ['--to', 'zipkin'],
      ['--proto', '--to', 'xray'],
      ['--json', '--proto'],
      ['--policy', 'x'],
    ]) {
      const { code, stdout } = await run(words, request);
      assert.deepEqual({ code, stdout: stdout.length }, { code: 2, stdout: 0 }, words.join(' '));
    }
  });
});

describe('raybridge convert is a good neighbour in a pipe', () => {
  const line = `${encodeTracesJson(telemetrySpans(50))}\n`;

  it('reads 50 MB with bad lines in it in bounded memory', async () => {
    const file = join(folder, 'large.ndjson');
    const count = Math.ceil(50_000_000 / line.length);
    const lines = Array.from({ length: count }, (_, i) => (i % 100 === 99 ? `${line.slice(0, 5000)}\n` : line));
    writeFileSync(file, gzipSync(lines.join(''), { level: 1 }));
    const child = start(['--proto', file], ['--import', reportsMemory]);
    child.stdin.end();
    let bytes = 0;
    child.stdout.on('data', (chunk: Uint8Array) => void (bytes += chunk.length));
    const [stderr, [code]] = await Promise.all([buffer(child.stderr), once(child, 'close')]);
    const told = stderr.toString().trimEnd().split('\n');
    assert.equal(code, 1);
    assert.equal(told.length - 1, Math.floor(count / 100));
    const good = count - Math.floor(count / 100);
    assert.equal(bytes, good * encodeTraces(decodeTracesJson(Buffer.from(line))).length);
    // The program alone takes 75 MB, and the file unpacked another 50.
    const memoryKilobytes = Number(told.at(-1));
    assert.ok(memoryKilobytes > 0 && memoryKilobytes < 180_000, `${memoryKilobytes} KB`);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = start([]);
    child.stdin.on('error', () => {}); // The child goes away while its stdin is being written.
    const feed = (): void => {
      while (child.stdin.writable && child.stdin.write(line));
    };
    child.stdin.on('drain', feed);
    feed();
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [stderr, [code, signal]] = await Promise.all([buffer(child.stderr), once(child, 'close')]);
    assert.deepEqual({ code, signal, stderr: stderr.toString() }, { code: 0, signal: null, stderr: '' });
  });

  it('gives the same bytes each time', async () => {
    const input = gunzipSync(gzipSync(line.repeat(3)));
    assert.deepEqual((await run([], input)).stdout, (await run([], input)).stdout);
  });
});

/** A module that prints the most memory that the program ever took, in kilobytes, when it ends. */
const reportsMemory = `data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))`;

function linesOf(stdout: Buffer): readonly Readonly<Record<string, unknown>>[] {
  const text = stdout.toString().trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
}

interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

async function run(words: readonly string[], input: string | Uint8Array): Promise<Ran> {
  const child = start(words);
  child.stdin.on('error', () => {}); // A wrong command line leaves its input unread.
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'exit')]);
  return { code: Number(code), stdout, stderr: stderr.toString() };
}

function start(words: readonly string[], nodeWords: readonly string[] = []): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...nodeWords, rootPath('dist', 'program', 'raybridge.js'), 'convert', ...words]);
}
