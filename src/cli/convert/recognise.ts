import { attributeDepthMax } from '../../model/index.ts';
import { decodeDatagram, encodeDatagram } from '../../codec/udp.ts';
import { JsonReader } from '../../codec/json.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Piece } from './pieces.ts';

/**
 * What a piece holds: OTLP requests and segment documents, in all the forms in which they lie
 * about. Arrays, answers of BatchGetTraces and bodies of PutTraceSegments are wrappers around
 * documents, and documents in them are often text inside a string.
 */
export type Found = Request | Document | Bad;

export type Side = 'otlp' | 'xray';

/** Where in its piece a thing stands. */
export interface Place {
  readonly offset: number;
  /** RFC 6901; empty for the whole piece. */
  readonly pointer: string;
}

export interface Request {
  readonly kind: 'request';
  readonly encoding: 'json' | 'proto';
  readonly bytes: Uint8Array;
  readonly place: Place;
}

export interface Document {
  readonly kind: 'document';
  readonly bytes: Uint8Array;
  readonly place: Place;
}

export interface Bad {
  readonly kind: 'bad';
  readonly place: Place;
  /** `expected …, got …` */
  readonly complaint: string;
}

export const wholePiece: Place = { offset: 0, pointer: '' };

/** Never throws for what the piece holds; `from` overrides what an object looks like. */
export function recognise(piece: Exclude<Piece, { kind: 'too large' }>, from: Side | undefined): readonly Found[] {
  const { bytes } = piece;
  if (piece.kind === 'proto') {
    if (from === 'xray') return [bad(wholePiece, 'expected segment documents in JSON, got binary data')];
    return [{ kind: 'request', encoding: 'proto', bytes, place: wholePiece }];
  }
  const found: Found[] = [];
  try {
    if (isEncodedOtlp(bytes)) found.push(readEncodedOtlp(bytes));
    else readText(bytes, { at: wholePiece, from, found, isInString: false });
  } catch (error) {
    found.push(badOf(error, wholePiece));
  }
  return found;
}

/** The complaint of an expected error, at its place inside of another. */
export function badOf(error: unknown, { offset, pointer }: Place): Bad {
  if (!(error instanceof RaybridgeError)) throw error;
  const { place, message } = error;
  if (!place) return bad({ offset, pointer }, message);
  return bad({ offset: offset + place.offset, pointer: `${pointer}${place.pointer}` }, place.complaint);
}

function bad(place: Place, complaint: string): Bad {
  return { kind: 'bad', place, complaint };
}

/** OTLP as AWS's distribution of OpenTelemetry sends it over UDP, behind the header line of a segment. */
function isEncodedOtlp(bytes: Uint8Array): boolean {
  return bytes[0] === letterT && bytes[1] === digitOne;
}

function readEncodedOtlp(bytes: Uint8Array): Found {
  // The header line is a piece of its own, so it is put back.
  const datagram = decodeDatagram(encodeDatagram(bytes));
  if (datagram.kind === 'otlp') {
    return { kind: 'request', encoding: 'proto', bytes: datagram.body, place: wholePiece };
  }
  return bad(wholePiece, 'expected OTLP traces, got something else');
}

const letterT = 0x54;
const digitOne = 0x31;

interface Context {
  /** The place of the text that is being read. */
  readonly at: Place;
  readonly from: Side | undefined;
  readonly found: Found[];
  readonly isInString: boolean;
}

/** The deepest attribute takes four levels of JSON for each of its own; the rest is what stands around it. */
const depthMax = 4 * attributeDepthMax + 32;

function readText(text: Uint8Array | string, context: Context): void {
  const reader = new JsonReader(text, { format: 'JSON', depthMax, containersMax: text.length });
  readThing(reader, '', context);
  reader.end();
}

/** In one piece. Real documents have a hundred bytes and more, but `{}` takes three and costs hundreds in memory. */
const thingsMax = 1_000_000;

/** `pointer` is that of the value at the cursor, within the text. */
function readThing(reader: JsonReader, pointer: string, context: Context): void {
  const kind = reader.peek();
  if (context.found.length >= thingsMax) reader.fail(`at most ${thingsMax} requests and documents`, 'more');
  if (kind === 'object') return readObject(reader, pointer, context);
  if (kind === 'array') return readElements(reader, pointer, context);
  const place = placeOf(reader, pointer, context);
  if (kind === 'none') reader.fail('JSON or OTLP protobuf');
  if (kind === 'string' && !context.isInString) return readString(reader, place, context);
  reader.skip();
  context.found.push(bad(place, `expected an object, got a ${kind}`));
}

function readElements(reader: JsonReader, pointer: string, context: Context): void {
  if (!reader.beginArray()) return;
  let i = 0;
  do readThing(reader, `${pointer}/${i++}`, context);
  while (reader.nextElement());
}

function readString(reader: JsonReader, place: Place, context: Context): void {
  const text = reader.string();
  try {
    readText(text, { ...context, at: place, isInString: true });
  } catch (error) {
    context.found.push(badOf(error, place));
  }
}

/** Members that hold documents, and what they hold them in. */
const wrappers: ReadonlyMap<string, 'array' | 'string'> = new Map([
  ['Traces', 'array'], // BatchGetTraces
  ['Segments', 'array'], // one of its traces
  ['Document', 'string'], // one of their segments
  ['TraceSegmentDocuments', 'array'], // PutTraceSegments
]);

function readObject(reader: JsonReader, pointer: string, context: Context): void {
  const { from, found } = context;
  const place = placeOf(reader, pointer, context);
  const start = reader.pos;
  const names = new Set<string>();
  const inside: Found[] = [];
  let isWrapper = false;
  try {
    if (reader.beginObject())
      do {
        const name = reader.name();
        if (names.size < namesMax) names.add(name);
        if (from === 'otlp' || wrappers.get(name) !== reader.peek()) reader.skip();
        else {
          isWrapper = true;
          readThing(reader, `${pointer}/${name}`, { ...context, found: inside });
        }
      } while (reader.nextMember());
  } catch (error) {
    // What came before the place where a wrapper breaks is whole.
    found.push(...inside);
    throw error;
  }
  if (isWrapper && !names.has('trace_id')) found.push(...inside);
  else found.push(...objectOf(reader.bytes.subarray(start, reader.pos), { names, place, from }));
}

/** Names that are looked at, of one object. */
const namesMax = 100;

function placeOf(reader: JsonReader, pointer: string, { at }: Context): Place {
  reader.peek();
  return { offset: at.offset + reader.pos, pointer: `${at.pointer}${pointer}` };
}

interface ObjectTraits {
  readonly names: ReadonlySet<string>;
  readonly place: Place;
  readonly from: Side | undefined;
}

const documentNames = ['trace_id', 'id', 'parent_id', 'start_time'] as const;

function objectOf(bytes: Uint8Array, { names, place, from }: ObjectTraits): readonly Found[] {
  // An empty message is a request in which nothing is said.
  const isRequest = from === 'otlp' || (from === undefined && (names.has('resourceSpans') || names.size === 0));
  if (isRequest) return [{ kind: 'request', encoding: 'json', bytes, place }];
  // The line `{"format":"json","version":1}` before a document, as it goes over UDP.
  if (names.size === 2 && names.has('format') && names.has('version')) return [];
  if (from === 'xray' || documentNames.some((name) => names.has(name))) return [{ kind: 'document', bytes, place }];
  return [
    bad(place, `expected resourceSpans, a segment document or an answer of BatchGetTraces, got ${listed(names)}`),
  ];
}

const listedMax = 3;
const listedCharactersMax = 40;

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, listedMax).map((name) => JSON.stringify(name.slice(0, listedCharactersMax)));
  return `an object with ${shown.join(', ')}${names.size > listedMax ? ', …' : ''}`;
}
