import { backslash, quote } from '../../codec/json-bytes.ts';
import { resourcePrefix } from '../../convert/annotations.ts';

/**
 * Names of members and attributes as small numbers, so that the fast path compares and looks up
 * numbers where others hash strings. A name is kept with its bytes, ready to be copied into a
 * protobuf key. Names are the senders', so both table and bytes have a bound; `makeRoom` forgets
 * all but the names that the program itself knows.
 */

/** Names remembered, those of the program included. Must be less than the slots. */
const namesMax = 8192;
const slots = 32_768;
const nameBytesMax = 512 * 1024;
/** A longer name is hardly one, and would crowd out the others. */
const nameLengthMax = 512;

/** The bytes of all names, one after the other. */
export const nameBytes = new Uint8Array(nameBytesMax);
/** Name `n` stands from `nameStarts[n]` to `nameStarts[n + 1]`. */
export const nameStarts = new Int32Array(namesMax + 1);

/** Number of a name plus one, by hash; 0 is empty. */
const table = new Int32Array(slots);
let count = 0;
let knownCount = 0;

/** One more than the largest number a name can have. */
export const nameNumbersMax = namesMax;

/**
 * The number of the name in `bytes[start, end)`; -1 when there is no room for another. `last` is the
 * name before it in its object, or that of the object itself; see `guessName`.
 */
export function internName(bytes: Uint8Array, start: number, end: number, last = -1): number {
  const slot = slotOf(bytes, start, end);
  const known = table[slot] ?? 0;
  const name = known > 0 ? known - 1 : addName(bytes, { start, end, slot });
  if (last >= 0 && name >= 0) followers[last] = name;
  return name;
}

/** By name: the one that came after it the last time. Documents of one sender list their members alike. */
const followers = new Int32Array(namesMax);

/** The name that most likely comes after that one; to be checked by `isNameAt`, which is cheaper than a hash. */
export function guessName(last: number): number {
  return last < 0 ? 0 : (followers[last] ?? 0);
}

/** Whether the name stands at `at`, as it is, up to a quote. */
export function isNameAt(bytes: Uint8Array, at: number, name: number): boolean {
  if (isEscaped[name] === 1) return false;
  let i = at;
  const end = nameStarts[name + 1] ?? 0;
  for (let k = nameStarts[name] ?? 0; k < end; k++, i++) if (bytes[i] !== nameBytes[k]) return false;
  return bytes[i] === quote;
}

export function nameLength(name: number): number {
  return (nameStarts[name + 1] ?? 0) - (nameStarts[name] ?? 0);
}

/** By their bytes; below zero when the first comes first. */
export function compareNames(a: number, b: number): number {
  const endA = nameStarts[a + 1] ?? 0;
  const endB = nameStarts[b + 1] ?? 0;
  let i = nameStarts[a] ?? 0;
  let k = nameStarts[b] ?? 0;
  for (; i < endA && k < endB; i++, k++) {
    const difference = (nameBytes[i] ?? 0) - (nameBytes[k] ?? 0);
    if (difference !== 0) return difference;
  }
  return endA - i - (endB - k);
}

/** Whether it is the key of an attribute of the resource, where a segment's annotations or metadata have it. */
export function isOfResource(name: number): boolean {
  return isPrefixed[name] === 1;
}

/** 1 for names that begin with the prefix of such keys. */
const isPrefixed = new Uint8Array(namesMax);
/** 1 for names that do not stand in JSON as they are. */
const isEscaped = new Uint8Array(namesMax);

/** The number of a name that is known already; -1 for any other. */
export function findName(bytes: Uint8Array, start: number, end: number): number {
  return (table[slotOf(bytes, start, end)] ?? 0) - 1;
}

/** The number of a name of the program's own; called while modules load, before any `internName`. */
export function knownName(text: string): number {
  const bytes = encoder.encode(text);
  const name = internName(bytes, 0, bytes.length);
  knownCount = count;
  return name;
}

/** To be called where no number of a sender's name is held. */
export function makeRoom(): void {
  if (count < namesMax / 2 && (nameStarts[count] ?? 0) < nameBytesMax / 2) return;
  count = knownCount;
  table.fill(0);
  followers.fill(0);
  for (let name = 0; name < count; name++) {
    const start = nameStarts[name] ?? 0;
    table[slotOf(nameBytes, start, nameStarts[name + 1] ?? 0)] = name + 1;
  }
}

const encoder = new TextEncoder();
const prefix = encoder.encode(resourcePrefix);

function addName(bytes: Uint8Array, place: { readonly start: number; readonly end: number; slot: number }): number {
  const length = place.end - place.start;
  const at = nameStarts[count] ?? 0;
  if (count === namesMax || length > nameLengthMax || at + length > nameBytesMax) return -1;
  isEscaped[count] = 0;
  isPrefixed[count] = startsWithPrefix(bytes, place.start, place.end) ? 1 : 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[place.start + i] ?? 0;
    nameBytes[at + i] = byte;
    if (byte < 0x20 || byte === quote || byte === backslash) isEscaped[count] = 1;
  }
  count += 1;
  nameStarts[count] = at + length;
  table[place.slot] = count;
  return count - 1;
}

function startsWithPrefix(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}

/** The slot that holds the name, or the empty one where it belongs. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  let slot = (hash ^ (hash >>> 15)) & (slots - 1);
  for (;;) {
    const found = table[slot] ?? 0;
    if (found === 0 || isName(found - 1, bytes, start, end)) return slot;
    slot = (slot + 1) & (slots - 1);
  }
}

function isName(name: number, bytes: Uint8Array, start: number, end: number): boolean {
  const at = nameStarts[name] ?? 0;
  if ((nameStarts[name + 1] ?? 0) - at !== end - start) return false;
  for (let i = start, k = at; i < end; i++, k++) if (bytes[i] !== nameBytes[k]) return false;
  return true;
}

/**
 * Members of a document, and of what is in it. They have the lowest numbers, so that a table of
 * their size holds the members of one document by name.
 */
export const member = {
  name: knownName('name'),
  id: knownName('id'),
  traceId: knownName('trace_id'),
  parentId: knownName('parent_id'),
  type: knownName('type'),
  startTime: knownName('start_time'),
  endTime: knownName('end_time'),
  inProgress: knownName('in_progress'),
  inferred: knownName('inferred'),
  namespace: knownName('namespace'),
  traced: knownName('traced'),
  precursorIds: knownName('precursor_ids'),
  user: knownName('user'),
  origin: knownName('origin'),
  resourceArn: knownName('resource_arn'),
  service: knownName('service'),
  http: knownName('http'),
  aws: knownName('aws'),
  sql: knownName('sql'),
  fault: knownName('fault'),
  error: knownName('error'),
  throttle: knownName('throttle'),
  cause: knownName('cause'),
  links: knownName('links'),
  annotations: knownName('annotations'),
  metadata: knownName('metadata'),
  subsegments: knownName('subsegments'),
  request: knownName('request'),
  response: knownName('response'),
  method: knownName('method'),
  url: knownName('url'),
  userAgent: knownName('user_agent'),
  clientIp: knownName('client_ip'),
  forwardedFor: knownName('x_forwarded_for'),
  status: knownName('status'),
  contentLength: knownName('content_length'),
  accountId: knownName('account_id'),
  operation: knownName('operation'),
  region: knownName('region'),
  requestId: knownName('request_id'),
  queueUrl: knownName('queue_url'),
  tableName: knownName('table_name'),
  tableNames: knownName('table_names'),
  topicArn: knownName('topic_arn'),
  functionName: knownName('function_name'),
  functionArn: knownName('function_arn'),
  retries: knownName('retries'),
  apiGateway: knownName('api_gateway'),
  restApiId: knownName('rest_api_id'),
  stage: knownName('stage'),
  databaseType: knownName('database_type'),
  sanitizedQuery: knownName('sanitized_query'),
  connectionString: knownName('connection_string'),
  databaseVersion: knownName('database_version'),
  driverVersion: knownName('driver_version'),
  preparation: knownName('preparation'),
  workingDirectory: knownName('working_directory'),
  paths: knownName('paths'),
  exceptions: knownName('exceptions'),
  message: knownName('message'),
  stack: knownName('stack'),
  path: knownName('path'),
  line: knownName('line'),
  label: knownName('label'),
  attributes: knownName('attributes'),
  default: knownName('default'),
  raybridge: knownName('raybridge'),
} as const;

/** Members of the envelope; see `convert/envelope.ts`. */
export const envelopeMember = {
  version: knownName('v'),
  name: knownName('n'),
  kind: knownName('k'),
  times: knownName('t'),
  status: knownName('s'),
  traceState: knownName('w'),
  flags: knownName('f'),
  parent: knownName('p'),
  role: knownName('j'),
  dropped: knownName('q'),
  older: knownName('u'),
  added: knownName('a'),
  removed: knownName('x'),
  types: knownName('y'),
  doubles: knownName('d'),
  renames: knownName('m'),
  events: knownName('e'),
  links: knownName('l'),
  scope: knownName('c'),
  resource: knownName('r'),
  cut: knownName('z'),
  hash: knownName('h'),
} as const;

/** One more than the largest number of a member. */
export const memberCount = knownCount;

/** Keys of attributes that the conversion reads or makes. */
export const key = {
  user: knownName('enduser.id'),
  precursorIds: knownName('aws.xray.precursor_ids'),
  traced: knownName('aws.xray.traced'),
  inferred: knownName('aws.xray.inferred'),
  inProgress: knownName('aws.xray.inprogress'),
  requestMethod: knownName('http.request.method'),
  route: knownName('http.route'),
  urlFull: knownName('url.full'),
  urlScheme: knownName('url.scheme'),
  urlPath: knownName('url.path'),
  urlQuery: knownName('url.query'),
  serverAddress: knownName('server.address'),
  serverPort: knownName('server.port'),
  userAgent: knownName('user_agent.original'),
  clientAddress: knownName('client.address'),
  forwardedFor: knownName('aws.xray.x_forwarded_for'),
  requestTraced: knownName('aws.xray.request_traced'),
  statusCode: knownName('http.response.status_code'),
  legacyStatusCode: knownName('http.status_code'),
  bodySize: knownName('http.response.body.size'),
  accountId: knownName('aws.account_id'),
  rpcSystem: knownName('rpc.system'),
  rpcSystemName: knownName('rpc.system.name'),
  rpcService: knownName('rpc.service'),
  rpcMethod: knownName('rpc.method'),
  awsService: knownName('aws.service'),
  awsOperation: knownName('aws.operation'),
  awsRegion: knownName('aws.region'),
  cloudRegion: knownName('cloud.region'),
  requestId: knownName('aws.request_id'),
  queueUrl: knownName('aws.queue_url'),
  sqsQueueUrl: knownName('aws.sqs.queue.url'),
  messagingSystem: knownName('messaging.system'),
  messagingDestination: knownName('messaging.destination.name'),
  tableName: knownName('aws.table_name'),
  tableNames: knownName('aws.dynamodb.table_names'),
  databaseSystem: knownName('db.system.name'),
  databaseCollection: knownName('db.collection.name'),
  databaseNamespace: knownName('db.namespace'),
  queryText: knownName('db.query.text'),
  topicArn: knownName('aws.sns.topic.arn'),
  invokedName: knownName('faas.invoked_name'),
  functionArn: knownName('aws.function_arn'),
  retries: knownName('aws.xray.retries'),
  apiId: knownName('aws.apigateway.id'),
  apiStage: knownName('aws.apigateway.stage'),
  sqlUrl: knownName('aws.xray.sql.url'),
  sqlConnectionString: knownName('aws.xray.sql.connection_string'),
  sqlDatabaseType: knownName('aws.xray.sql.database_type'),
  sqlDatabaseVersion: knownName('aws.xray.sql.database_version'),
  sqlDriverVersion: knownName('aws.xray.sql.driver_version'),
  sqlUser: knownName('aws.xray.sql.user'),
  sqlPreparation: knownName('aws.xray.sql.preparation'),
  cause: knownName('aws.xray.cause'),
  workingDirectory: knownName('aws.xray.cause.working_directory'),
  causePaths: knownName('aws.xray.cause.paths'),
  exceptionType: knownName('exception.type'),
  exceptionMessage: knownName('exception.message'),
  exceptionStack: knownName('exception.stacktrace'),
  namespace: knownName('aws.xray.namespace'),
  name: knownName('aws.xray.name'),
  annotations: knownName('aws.xray.annotations'),
  residual: knownName('raybridge.xray'),
  fault: knownName('aws.xray.fault'),
  error: knownName('aws.xray.error'),
  throttle: knownName('aws.xray.throttle'),
  errorType: knownName('error.type'),
  grpcStatusCode: knownName('rpc.grpc.status_code'),
  rpcStatusCode: knownName('rpc.response.status_code'),
} as const;

/** Texts that the conversion compares with, or sets. */
export const word = {
  aws: knownName('aws'),
  remote: knownName('remote'),
  awsApi: knownName('aws-api'),
  awsSqs: knownName('aws_sqs'),
  awsSns: knownName('aws_sns'),
  awsDynamodb: knownName('aws.dynamodb'),
  exception: knownName('exception'),
  subsegment: knownName('subsegment'),
  http: knownName('http'),
  https: knownName('https'),
} as const;
