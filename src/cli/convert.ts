import { createReadStream } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Command, Option } from 'commander';
import type { SegmentOptions } from '../convert/index.ts';
import { collect } from './configuration.ts';
import { type Complaint, type Converted, convertDocuments, convertRequest, type Target } from './convert/direction.ts';
import { lineFinder } from './convert/lines.ts';
import { openOutput, type Output } from './convert/output.ts';
import { type Piece, pieceBytesMax, readPieces } from './convert/pieces.ts';
import {
  type Bad,
  type Document,
  type Found,
  recognise,
  type Request,
  type Side,
  wholePiece,
} from './convert/recognise.ts';
import { createReport, type Report } from './convert/report.ts';

interface ConvertOptions {
  readonly from?: Side;
  readonly to?: Side | 'spans';
  readonly json?: boolean;
  readonly proto?: boolean;
  readonly policy: SegmentOptions['policy'];
  readonly envelope: SegmentOptions['envelope'];
  readonly indexAll?: boolean;
  readonly index: readonly string[];
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('convert spans between OTLP and X-Ray segment documents, from files or stdin to stdout')
    .argument('[file...]', 'what to read, gzip included; - or nothing is stdin')
    .addOption(new Option('--from <form>', 'what the input is, where it is not to be recognised').choices(sides))
    .addOption(new Option('--to <form>', 'what to write (default: the other side)').choices([...sides, 'spans']))
    .option('--json', 'write OTLP, as JSON')
    .addOption(new Option('--proto', 'write OTLP, as protobuf').conflicts('json'))
    .addOption(
      new Option('--policy <policy>', 'which spans become segments; collector: as its exporter does')
        .choices(['auto', 'collector'])
        .default('auto'),
    )
    .addOption(
      new Option('--envelope <level>', 'how much a document keeps of what X-Ray has no word for; full comes back whole')
        .choices(['full', 'minimal', 'off'])
        .default('full'),
    )
    .option('--index-all', 'make annotations of all attributes that can be some')
    .option('--index <key>', 'make annotations of this attribute (repeatable)', collect, [])
    .addHelpText('after', help)
    .action(convert);
}

const sides = ['otlp', 'xray'] as const;

const help = `
Recognised are OTLP requests in protobuf and JSON, segment documents, PutTraceSegments bodies,
BatchGetTraces answers, arrays of them, and any number of them one a line.

Segment documents come out one a line, OTLP as one request a line for each line or value read.
What cannot be used is told on stderr with file, line and JSON pointer, and all else still comes
out; the exit code is then 1.

Examples:
  raybridge convert spans.json                        segment documents, one a line
  raybridge convert --to spans spans.pb | jq .name    each span as readable JSON
  aws xray batch-get-traces --trace-ids 1-… | raybridge convert --proto > trace.pb
  raybridge convert --policy collector --envelope off --index http.route spans.ndjson.gz`;

async function convert(files: readonly string[], options: ConvertOptions, command: Command): Promise<void> {
  const { to, json, proto } = options;
  if ((json || proto) && to !== undefined && to !== 'otlp') {
    command.error(`error: --${proto ? 'proto' : 'json'} is a form of OTLP and does not go with --to ${to}`);
  }
  const report = createReport({
    write: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    nowMs: () => performance.now(),
  });
  const output = openOutput(process.stdout);
  const run: Run = { options, output, report, bytesRead: 0 };
  for (const file of files.length === 0 ? ['-'] : files) {
    await convertFile(file, run);
    if (output.isClosed) break;
  }
  if (output.error) report.lost(`stdout: ${output.error.message}`, 1);
  if (!report.finish()) process.exitCode = lossy;
}

/** Exit code when something is not in the output. */
const lossy = 1;

interface Run {
  readonly options: ConvertOptions;
  readonly output: Output;
  readonly report: Report;
  bytesRead: number;
}

async function convertFile(file: string, run: Run): Promise<void> {
  const name = file === '-' ? 'stdin' : file;
  const stream: AsyncIterable<Uint8Array> = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const piece of readPieces(counted(stream, run))) {
      await convertPiece(piece, name, run);
      if (run.output.isClosed) return;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    run.report.lost(`${name}: cannot be read: ${error.message}`, 1);
  }
}

async function* counted(stream: AsyncIterable<Uint8Array>, run: Run): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    run.bytesRead += chunk.length;
    yield chunk;
  }
}

/** Errors of files and of gzip have a code; a bug has none. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'errno' in error;
}

async function convertPiece(piece: Piece, name: string, { options, output, report, bytesRead }: Run): Promise<void> {
  const toLine = lineFinder(piece);
  const tell = ({ place, complaint }: Complaint): string =>
    `${name}${toLine(place.offset)}: ${place.pointer === '' ? '' : `${place.pointer}: `}${complaint}`;
  if (piece.kind === 'too large') {
    const complaint = `expected at most ${pieceBytesMax} bytes in one line or document, got more`;
    report.lost(tell({ place: wholePiece, complaint }), 1);
    return;
  }
  for (const group of grouped(recognise(piece, options.from))) {
    const converted = convertGroup(group, options);
    for (const lost of converted.lost) report.lost(tell(lost), lost.count);
    for (const warning of converted.warnings) report.warn(() => tell(warning));
    await output.write(converted.output);
    report.progress({ converted: converted.count, bytes: bytesRead });
    if (output.isClosed) return;
  }
}

type Group = Request | Bad | { readonly kind: 'documents'; readonly documents: readonly Document[] };

function convertGroup(group: Group, options: ConvertOptions): Converted {
  switch (group.kind) {
    case 'bad':
      return { output: [], count: 0, lost: [{ ...group, count: 1 }], warnings: [] };
    case 'request':
      return convertRequest(group, targetOf('xray', options), segmentOptions(options));
    case 'documents':
      return convertDocuments(group.documents, targetOf('otlp', options));
  }
}

function targetOf(otherSide: Side, { to, json, proto }: ConvertOptions): Target {
  const wanted = to ?? (json || proto ? 'otlp' : otherSide);
  if (wanted !== 'otlp') return wanted;
  return proto ? 'otlp proto' : 'otlp json';
}

function segmentOptions({ policy, envelope, indexAll = false, index }: ConvertOptions): Partial<SegmentOptions> {
  return { policy, envelope, annotations: { indexAll, indexed: index } };
}

/** Documents of one piece are one request, but a large piece is several, so that spans of some megabytes are held at a time. */
const groupDocumentsMax = 1000;
const groupBytesMax = 4 * 1024 * 1024;

function* grouped(found: readonly Found[]): Generator<Group> {
  let documents: Document[] = [];
  let bytes = 0;
  for (const thing of found) {
    const isFull = documents.length === groupDocumentsMax || bytes >= groupBytesMax;
    if (documents.length > 0 && (isFull || thing.kind === 'request')) {
      yield { kind: 'documents', documents };
      documents = [];
      bytes = 0;
    }
    if (thing.kind !== 'document') yield thing;
    else {
      documents.push(thing);
      bytes += thing.bytes.length;
    }
  }
  if (documents.length > 0) yield { kind: 'documents', documents };
}
