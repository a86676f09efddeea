import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseJson } from '../../src/codec/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject, type JsonNumber, type JsonValue } from '../../src/model/index.ts';
import type { RecordedAnswer } from './answer-recorder.ts';

/**
 * AWS's own model of the X-Ray API, as botocore brings it, and what of an answer does not follow it:
 * members it does not know, required ones that are not there, other types, lengths, values and
 * patterns. SDKs overlook much of that, each something else; the model does not.
 */
export interface AwsModel {
  /** By name. */
  readonly operations: ReadonlyMap<string, AwsOperation>;
  readonly shapes: ReadonlyMap<string, Shape>;
}

export interface AwsOperation {
  readonly name: string;
  readonly http: { readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
}

export interface Shape {
  readonly type: 'structure' | 'list' | 'map' | 'string' | 'boolean' | 'integer' | 'long' | 'double' | 'timestamp';
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly required?: readonly string[];
  readonly union?: boolean;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly error?: { readonly httpStatusCode?: number };
}

/** The model in a folder of Python packages. */
export function readAwsModel(packages: string): AwsModel {
  const path = join(packages, 'botocore', 'data', 'xray', '2016-04-12', 'service-2.json');
  const text = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  const { operations, shapes } = JSON.parse(text.toString());
  return { operations: new Map(Object.entries(operations)), shapes: new Map(Object.entries(shapes)) };
}

export function operationAt(model: AwsModel, path: string): AwsOperation | undefined {
  return [...model.operations.values()].find(({ http }) => http.requestUri === path);
}

export function shapeOf(model: AwsModel, name: string): Shape {
  const shape = model.shapes.get(name);
  if (!shape) throw new Error(`the model has no shape ${name}`);
  return shape;
}

/** What of the answer is not as the model wants it, by place; nothing when it is. */
export function problemsOf(model: AwsModel, answer: RecordedAnswer): readonly string[] {
  const operation = operationAt(model, answer.path);
  const place = operation?.name ?? answer.path;
  const problems = headerProblems(answer).map((problem) => `${place}: ${problem}`);
  const body = parseJson(answer.body);
  const note = (where: string, problem: string): void => void problems.push(`${where}: ${problem}`);
  if (answer.status !== 200) checkError({ model, note }, { operation, answer, body, place });
  else if (!operation) note(place, 'answered, but the model has no such operation');
  else if (operation.output) check({ model, note }, { shape: operation.output.shape, value: body, where: place });
  return problems;
}

interface Checking {
  readonly model: AwsModel;
  note(where: string, problem: string): void;
}

interface Place {
  readonly shape: string;
  readonly value: JsonValue | undefined;
  readonly where: string;
}

const requestIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function headerProblems({ headers }: RecordedAnswer): readonly string[] {
  const problems: string[] = [];
  if (headers['content-type'] !== 'application/json') problems.push(`content-type is ${headers['content-type']}`);
  const requestId = headers['x-amzn-requestid'];
  if (typeof requestId !== 'string' || !requestIdPattern.test(requestId)) problems.push('x-amzn-RequestId is no UUID');
  return problems;
}

/** Errors that every AWS service may answer with, and their status. */
const anyServiceErrors: ReadonlyMap<string, number> = new Map([
  ['InvalidRequestException', 400],
  ['AccessDeniedException', 403],
  ['UnrecognizedClientException', 403],
  ['InvalidSignatureException', 403],
  ['ExpiredTokenException', 403],
  ['MissingAuthenticationTokenException', 403],
  ['UnknownOperationException', 404],
  ['RequestEntityTooLarge', 413],
  ['UnsupportedMediaType', 415],
  ['ServiceUnavailable', 503],
]);

interface AnsweredError {
  readonly operation: AwsOperation | undefined;
  readonly answer: RecordedAnswer;
  readonly body: JsonValue;
  readonly place: string;
}

function checkError({ model, note }: Checking, { operation, answer, body, place }: AnsweredError): void {
  const name = String(answer.headers['x-amzn-errortype']);
  const where = `${place} ${name}`;
  if (!isJsonObject(body)) return note(where, 'its body is no object');
  if (body.get('__type') !== name) note(where, 'header and __type differ');
  if (typeof body.get('Message') !== 'string' || body.get('Message') === '') note(where, 'says nothing');
  if (body.get('message') !== body.get('Message')) note(where, 'message and Message differ');

  const listed = operation?.errors?.some(({ shape }) => shape === name) ?? false;
  if (!listed) {
    const status = anyServiceErrors.get(name);
    if (status !== answer.status) note(where, `is none of the operation's errors, with status ${answer.status}`);
    return;
  }
  const shape = shapeOf(model, name);
  // The model gives no status where it is 400.
  const status = shape.error?.httpStatusCode ?? 400;
  if (answer.status !== status) note(where, `expected status ${status}, got ${answer.status}`);
  const own = new Map([...body].filter(([member]) => member !== '__type' && member !== 'message'));
  checkStructure({ model, note }, { shape: name, value: own, where });
}

function check(checking: Checking, place: Place): void {
  const { note } = checking;
  const { value, where } = place;
  const shape = shapeOf(checking.model, place.shape);
  if (value === null) return note(where, 'null, which is to be left out');
  switch (shape.type) {
    case 'structure':
      return checkStructure(checking, place);
    case 'list':
      return checkList(checking, place, shape);
    case 'map':
      return checkMap(checking, place, shape);
    case 'string':
      return checkString(checking, place, shape);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : note(where, 'expected a boolean');
    default:
      return isJsonNumber(value)
        ? checkNumber(checking, { ...value, where }, shape)
        : note(where, `expected a number (${shape.type})`);
  }
}

function checkStructure(checking: Checking, { shape: name, value, where }: Place): void {
  const { members = {}, required = [], union = false } = shapeOf(checking.model, name);
  if (!isJsonObject(value)) return checking.note(where, `expected an object (${name})`);
  for (const member of required) if (!value.has(member)) checking.note(where, `lacks ${member}, which is required`);
  if (union && value.size !== 1) checking.note(where, `is a union and has ${value.size} members`);
  for (const [member, inner] of value) {
    const known = Object.hasOwn(members, member) ? members[member] : undefined;
    if (!known) checking.note(`${where}.${member}`, `${name} has no such member`);
    else check(checking, { shape: known.shape, value: inner, where: `${where}.${member}` });
  }
}

function checkList(checking: Checking, { value, where }: Place, { member, min, max }: Shape): void {
  if (!isJsonArray(value)) return checking.note(where, 'expected a list');
  checkLength(checking, { length: value.length, min, max, where });
  for (const [index, inner] of value.entries()) {
    check(checking, { shape: member?.shape ?? '', value: inner, where: `${where}[${index}]` });
  }
}

function checkMap(checking: Checking, { value, where }: Place, shape: Shape): void {
  if (!isJsonObject(value)) return checking.note(where, 'expected an object (map)');
  checkLength(checking, { length: value.size, min: shape.min, max: shape.max, where });
  for (const [key, inner] of value) {
    check(checking, { shape: shape.key?.shape ?? '', value: key, where: `${where} key ${key}` });
    check(checking, { shape: shape.value?.shape ?? '', value: inner, where: `${where}.${key}` });
  }
}

function checkString(checking: Checking, { value, where }: Place, shape: Shape): void {
  if (typeof value !== 'string') return checking.note(where, 'expected a string');
  checkLength(checking, { length: [...value].length, min: shape.min, max: shape.max, where });
  if (shape.enum && !shape.enum.includes(value)) checking.note(where, `${value} is none of ${shape.enum.join()}`);
  // The patterns are those of AWS's model, which is no foreign input.
  if (shape.pattern && !new RegExp(`^(?:${shape.pattern})$`, 'u').test(value)) {
    checking.note(where, `${value} is not as ${shape.pattern}`);
  }
}

interface Length {
  readonly length: number;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly where: string;
}

function checkLength({ note }: Checking, { length, min = 0, max = Infinity, where }: Length): void {
  if (length < min || length > max) note(where, `has a length of ${length}, not of ${min} to ${max}`);
}

const int32Max = 2 ** 31 - 1;
/** Epoch seconds of the last nanosecond in 64 bits, in the year 2554: what comes later was meant in another unit. */
const secondsMax = Math.ceil(2 ** 64 / 1e9);

function checkNumber({ note }: Checking, place: JsonNumber & { readonly where: string }, shape: Shape): void {
  const { literal, where } = place;
  const number = Number(literal);
  if (!Number.isFinite(number)) return note(where, `${literal} is too large`);
  if (number < (shape.min ?? -Infinity) || number > (shape.max ?? Infinity)) {
    note(where, `${literal} is not from ${shape.min} to ${shape.max}`);
  }
  if (shape.type === 'timestamp' && (number < 0 || number > secondsMax))
    note(where, `${literal} is no time in seconds`);
  if (shape.type !== 'integer' && shape.type !== 'long') return;
  // Go refuses 10.0 and 1e1 for an integer.
  if (!/^-?\d+$/.test(literal)) note(where, `${literal} is not written as an integer`);
  if (shape.type === 'integer' && Math.abs(number) > int32Max) note(where, `${literal} is no 32 bit integer`);
}
