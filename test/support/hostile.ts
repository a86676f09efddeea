import { repeatTo } from './bytes.ts';

/**
 * Input that was made to do harm: as deep, as long, as empty, as repetitive or as wrong as a format
 * lets it be. The tests ask for the right answer to each, the bench for the time that it takes.
 */
export interface HostileInput {
  readonly name: string;
  readonly format: 'otlp_proto' | 'otlp_json' | 'segments';
  readonly bytes: Uint8Array;
  /** How many spans or documents can be read of it, or why it is refused. */
  readonly answer: number | RegExp;
}

/** Inputs that are as deep as this, whatever their size. */
const deep = 100_000;

/** @param sizeBytes of the inputs that can have any size; with 1 MiB the repetitive ones have 100,000 members. */
export function hostileInputs(sizeBytes: number): readonly HostileInput[] {
  return [...hostileProto(sizeBytes), ...hostileOtlpJson(sizeBytes), ...hostileSegments(sizeBytes)];
}

function manyOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 10.4);
}

function hostileProto(sizeBytes: number): readonly HostileInput[] {
  const many = manyOf(sizeBytes);
  const filled = (piece: Uint8Array): Uint8Array => spanWith(repeatTo(piece, sizeBytes));
  const cases: readonly (readonly [name: string, bytes: Uint8Array, answer: number | RegExp])[] = [
    ['nothing', new Uint8Array(), 0],
    ['empty groups', repeatTo(field(1, ''), sizeBytes), 0],
    ['empty spans', field(1, field(2, repeatTo(field(2, ''), sizeBytes))), 0],
    ['empty events', filled(field(11, '')), 1],
    ['empty links', filled(field(13, '')), 1],
    ['empty attributes', filled(field(9, '')), 1],
    [
      'spans with ids and nothing else',
      field(1, field(2, repeatTo(field(2, ids), sizeBytes))),
      Math.floor(sizeBytes / 30),
    ],
    [
      'lists in lists',
      spanWith(
        field(
          9,
          field(
            2,
            nested(deep, (inner) => field(5, field(1, inner))),
          ),
        ),
      ),
      tooDeep,
    ],
    [
      'maps in maps',
      spanWith(
        field(
          9,
          field(
            2,
            nested(deep, (inner) => field(6, field(1, field(2, inner)))),
          ),
        ),
      ),
      tooDeep,
    ],
    ['attributes with one key', spanWith(join(many, (i) => attribute('key', field(1, String(i))))), 1],
    ['attributes with as many keys', spanWith(join(many, (i) => attribute(`key.${i}`, field(1, 'value')))), 1],
    ['events with attributes', filled(field(11, attribute('exception.type', field(1, 'E')))), 1],
    ['__proto__', filled(attribute('__proto__', field(6, field(1, attribute('admin', number(2, 1n)).subarray(2))))), 1],
    ['a key of one long text', spanWith(attribute('k'.repeat(sizeBytes), field(1, 'v'))), 1],
    ['text beyond ASCII', spanWith(attribute('k', field(1, 'ä€😀'.repeat(sizeBytes / 9)))), 1],
    ['short texts beyond ASCII', filled(attribute('ä', field(1, '€'))), 1],
    [
      'text that ends in half a character',
      spanWith(field(5, repeatTo(Uint8Array.of(0xe2, 0x82, 0xac), sizeBytes).subarray(0, -1))),
      /expected UTF-8 text/,
    ],
    ['a surrogate in UTF-8', spanWith(field(5, Uint8Array.of(0xed, 0xa0, 0x80))), /expected UTF-8 text, got byte 0xed/],
    [
      'NaN, the infinities and -0',
      filled(Buffer.concat([NaN, Infinity, -Infinity, -0].map((value) => attribute('d', double(value))))),
      1,
    ],
    [
      'int64 extremes',
      filled(
        Buffer.concat(
          [2n ** 63n - 1n, -(2n ** 63n), -1n, 2n ** 53n + 1n].map((value) => attribute('i', number(3, value))),
        ),
      ),
      1,
    ],
    [
      'a number of 65 bits',
      spanWith(Buffer.of(0x50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02)),
      /a varint of at most 64 bits/,
    ],
    ['lengths that take ten bytes', filled(Buffer.concat([Buffer.of(0x2a), longLength(1), Buffer.from('x')])), 1],
    [
      'a length of 2^63',
      spanWith(Buffer.concat([Buffer.of(0x2a), Buffer.from('ffffffffffffffff7f', 'hex')])),
      /a length of/,
    ],
    ['unknown fields', filled(Buffer.concat([number(1000, 5n), field(2000, 'x')])), 1],
    ['bytes', filled(attribute('b', field(7, Buffer.alloc(100, 0xff)))), 1],
    ['a group that never ends', repeatTo(Buffer.of(0x0b), sizeBytes), /wire type/],
  ];
  return cases.map(([name, bytes, answer]) => ({ name, format: 'otlp_proto', bytes, answer }));
}

const tooDeep = /at most \d+ (levels|inside each other|values inside each other)/;

function hostileOtlpJson(sizeBytes: number): readonly HostileInput[] {
  const many = manyOf(sizeBytes);
  const filled = (piece: string): string => jsonSpan(`"attributes":[${list(piece, sizeBytes)}]`);
  const value = (content: string): string => `{"key":"k","value":${content}}`;
  const cases: readonly (readonly [name: string, text: string | Uint8Array, answer: number | RegExp])[] = [
    ['nothing', '', /expected an object/],
    ['an empty object', '{}', 0],
    ['empty groups', `{"resourceSpans":[${list('{}', sizeBytes)}]}`, 0],
    ['empty attributes', filled('{}'), 1],
    ['lists in lists', '['.repeat(deep), /expected an object/],
    ['lists in lists, unknown', `{"x":${'['.repeat(deep)}`, tooDeep],
    ['objects in objects, unknown', `{"x":${'{"x":'.repeat(deep)}`, tooDeep],
    ['values in values', jsonSpan(`"attributes":[{"value":${'{"arrayValue":{"values":['.repeat(deep)}`), tooDeep],
    ['attributes with one key', jsonSpan(`"attributes":[${'{"key":"k"},'.repeat(many)}{}]`), 1],
    [
      'attributes with as many keys',
      jsonSpan(`"attributes":[${Array.from({ length: many }, (_, i) => `{"key":"${i}"}`)}]`),
      1,
    ],
    ['members with one name', `{${'"resourceSpans":[],'.repeat(sizeBytes / 19)}"x":1}`, 0],
    ['members called __proto__', `{${'"__proto__":{"admin":true},'.repeat(sizeBytes / 27)}"x":1}`, 0],
    [
      'an attribute called __proto__',
      filled('{"key":"__proto__","value":{"kvlistValue":{"values":[{"key":"admin","value":{"boolValue":true}}]}}}'),
      1,
    ],
    ['white space', `${' \n\t\r'.repeat(sizeBytes / 4)}{}`, 0],
    ['escapes', jsonSpan(`"name":"${'\\n'.repeat(sizeBytes / 2)}"`), 1],
    ['escapes between letters', jsonSpan(`"name":"${'a\\u0041'.repeat(sizeBytes / 7)}"`), 1],
    ['halves of characters', jsonSpan(`"name":"${'\\ud800'.repeat(sizeBytes / 6)}"`), 1],
    [
      'text that is not UTF-8',
      Buffer.concat([Buffer.from(jsonSpan(`"name":"${'x'.repeat(sizeBytes)}`)), Buffer.of(0xff)]),
      /expected UTF-8, got byte 0xff/,
    ],
    ['NaN', filled(value('{"doubleValue":"NaN"}')), 1],
    ['NaN, not quoted', filled(value('{"doubleValue":NaN}')), /expected a number/],
    ['2^63', filled(value('{"intValue":"9223372036854775808"}')), /expected an int64/],
    ['2^63 with an exponent', filled(value('{"intValue":9223372036854775808e0}')), /expected an int64/],
    ['whole numbers with exponents', filled(value('{"intValue":1.25e+2}')), 1],
    ['a number of many digits', filled(value(`{"doubleValue":0.${'1'.repeat(sizeBytes)}}`)), 1],
    ['an integer of many digits', filled(value(`{"intValue":${'1'.repeat(sizeBytes)}}`)), /expected an int64/],
    ['infinite numbers', filled(value('{"doubleValue":1e999}')), /expected a double/],
    ['bytes', filled(value('{"bytesValue":"/////w=="}')), 1],
    ['bytes that are no base64', filled(value('{"bytesValue":"/////w==="}')), /expected base64/],
    ['types confused', filled(value('{"stringValue":5}')), /expected a string/],
    ['an end that is missing', filled('{}').slice(0, -1), /the end of the text/],
    [
      'a wrong end after many names',
      `{${Array.from({ length: many }, (_, i) => `"n${i}":${i},`)}`,
      /expected a member name/,
    ],
  ];
  return cases.map(([name, text, answer]) => ({ name, format: 'otlp_json', bytes: Buffer.from(text), answer }));
}

function hostileSegments(sizeBytes: number): readonly HostileInput[] {
  const many = manyOf(sizeBytes);
  const filled = (member: string, piece: string, open = '[', close = ']'): string =>
    segment(`"${member}":${open}${list(piece, sizeBytes)}${close}`);
  const metadata = (content: string): string => segment(`"metadata":{"default":{${content}}}`);
  const names = (text: string): string => Array.from({ length: many }, (_, i) => `"k${i}":${text}`).join(',');
  const cases: readonly (readonly [name: string, text: string, answer: number | RegExp])[] = [
    ['nothing', '', /expected a value/],
    ['an empty list', '[]', 0],
    ['an empty document', '{}', 1],
    ['no object', '5', /expected an object/],
    ['lists in lists', '['.repeat(deep), tooDeep],
    ['subsegments in subsegments', '{"subsegments":['.repeat(deep), tooDeep],
    ['metadata in metadata', `{"metadata":${'{"a":'.repeat(deep)}`, tooDeep],
    ['empty subsegments', filled('subsegments', '{}'), 1],
    ['subsegments that are none', filled('subsegments', '5'), 1],
    ['empty exceptions', segment(`"cause":{"exceptions":[${list('{}', sizeBytes)}]}`), 1],
    ['empty frames', segment(`"cause":{"exceptions":[{"stack":[${list('{}', sizeBytes)}]}]}`), 1],
    ['annotations of one name', segment(`"annotations":{${'"a":1,'.repeat(many)}"a":2}`), 1],
    ['as many annotations', segment(`"annotations":{${names('1')}}`), 1],
    ['as much metadata', metadata(names('"x"')), 1],
    ['metadata of null', metadata(names('null')), 1],
    ['metadata of numbers written otherwise', metadata(names('1E0')), 1],
    ['annotations of null', segment(`"annotations":{${names('null')}}`), 1],
    ['unknown members', segment(names('5')), 1],
    ['unknown members of null', segment(names('null')), 1],
    ['members called __proto__', segment(`${'"__proto__":{"admin":true},'.repeat(sizeBytes / 27)}"x":1`), 1],
    ['links', filled('links', '{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8"}'), 1],
    ['links that are none', filled('links', '5'), 1],
    ['texts in lists', segment(`"aws":{"table_names":[${list('"t"', sizeBytes)}]}`), 1],
    ['a number of many digits', segment(`"metadata":{"default":{"n":0.${'1'.repeat(sizeBytes)}}}`), 1],
    [
      'a time of many digits',
      `{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":1.${'1'.repeat(sizeBytes)}}`,
      1,
    ],
    ['halves of characters', segment(`"user":"${'\\udfff'.repeat(sizeBytes / 6)}"`), 1],
    ['a URL of many colons', segment(`"http":{"request":{"url":"http://${':'.repeat(sizeBytes)}"}}`), 1],
    [
      'a connection string of passwords',
      segment(`"sql":{"connection_string":"${';password  '.repeat(sizeBytes / 11)}"}`),
      1,
    ],
    ['an end that is missing', filled('subsegments', '{}').slice(0, -1), /expected "," or "}"/],
  ];
  return cases.map(([name, text, answer]) => ({ name, format: 'segments', bytes: Buffer.from(text), answer }));
}

const ids = Buffer.concat([field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 2))]);

function spanWith(content: Uint8Array): Uint8Array {
  return field(1, field(2, field(2, Buffer.concat([ids, content]))));
}

function attribute(key: string, value: Uint8Array): Uint8Array {
  return field(9, Buffer.concat([field(1, key), field(2, value)]));
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, 0x21);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function number(fieldNumber: number, value: bigint): Uint8Array {
  return Buffer.from([...varint(BigInt(fieldNumber) << 3n), ...varint(BigInt.asUintN(64, value))]);
}

function field(fieldNumber: number, content: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(content);
  return Buffer.concat([
    Buffer.from([...varint((BigInt(fieldNumber) << 3n) | 2n), ...varint(BigInt(bytes.length))]),
    bytes,
  ]);
}

function varint(value: bigint): readonly number[] {
  return value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)];
}

/** The length with as many leading zeros as a varint can have. */
function longLength(length: number): Uint8Array {
  return Buffer.from([length | 0x80, ...Buffer.alloc(8, 0x80), 0]);
}

/** Messages inside each other, put together from the outside, because from the inside takes quadratic time. */
function nested(depth: number, wrap: (inner: Uint8Array) => Uint8Array): Uint8Array {
  // What wraps nothing shows the tags; each level's length is what stands inside it.
  const empty = wrap(new Uint8Array());
  const heads: Buffer[] = [];
  let size = 0;
  for (let level = 0; level < depth; level++) {
    for (let at = empty.length - 2; at >= 0; at -= 2) {
      const head = Buffer.from([empty[at] ?? 0, ...varint(BigInt(size))]);
      heads.push(head);
      size += head.length;
    }
  }
  return Buffer.concat(heads.reverse());
}

function join(count: number, piece: (i: number) => Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, (_, i) => piece(i)));
}

/** Elements or members of that text, as many as fill the size. */
function list(piece: string, sizeBytes: number): string {
  return `${`${piece},`.repeat(Math.max(0, Math.floor(sizeBytes / (piece.length + 1)) - 1))}${piece}`;
}

function jsonSpan(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}",${members}}]}]}]}`;
}

function segment(members: string): string {
  return `{"name":"n","id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":1,"end_time":2,${members}}`;
}
