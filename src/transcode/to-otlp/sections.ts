import { point, zero } from '../../codec/json-bytes.ts';
import { producingOperations } from '../../convert/identity.ts';
import { sqlSystems, stableSystem } from '../../convert/sql.ts';
import { SpanKind } from '../../model/index.ts';
import { Value } from './attributes.ts';
import type { DocumentIndex } from './document-index.ts';
import { Kind } from './document-index.ts';
import { isZero, takeSeconds, unusual } from './literals.ts';
import { findName, key, knownName, member, word } from './names.ts';
import type { Reading } from './reading.ts';
import { Mark } from './reading.ts';
import { mayHoldPassword, splitUrlAt, urlPlaces } from './url.ts';

/**
 * The sections of a document, as the `read…` functions of `src/convert` read them, in their order
 * and with their names; there is the reason for each rule. The resource is not read here: see
 * `resource.ts`.
 */

/** All sections up to the cause; what comes after them depends on whose document it is. */
export function readSections(reading: Reading): void {
  readTimes(reading);
  readKind(reading);
  readName(reading);
  readIdentity(reading);
  readHttp(reading);
  readAws(reading);
  readSql(reading);
  readCause(reading);
}

/** `convert/identity.ts`. */
export function readTimes(reading: Reading): void {
  const { index } = reading;
  const start = reading.topEntry(member.startTime);
  const end = reading.topEntry(member.endTime);
  if (start < 0 || !isNumber(reading, start) || (end >= 0 && !isNumber(reading, end))) throw unusual;
  takeSeconds(reading.start, index.bytes, reading.startOf(start), reading.endOf(start));
  reading.end.high = 0;
  reading.end.low = 0;
  markTime(reading, start);
  if (end < 0) return;
  takeSeconds(reading.end, index.bytes, reading.startOf(end), reading.endOf(end));
  markTime(reading, end);
}

/** `secondsText` of `model/time.ts` gives times without an exponent and zeros at the end. */
function markTime({ index, marks }: Reading, entry: number): void {
  const last = index.bytes[(index.ends[entry] ?? 0) - 1];
  const isSpelledOut = index.kinds[entry] === Kind.integer || (last !== zero && !isJavaTime(index, entry));
  marks[entry] = isSpelledOut ? Mark.kept : Mark.respelled;
}

function isJavaTime({ bytes, ends }: DocumentIndex, entry: number): boolean {
  return bytes[(ends[entry] ?? 0) - 2] === letterE;
}

const letterE = 0x45;

function isNumber({ index }: Reading, entry: number): boolean {
  return index.kinds[entry] === Kind.integer || index.kinds[entry] === Kind.decimal;
}

/** `convert/identity.ts`. */
function readKind(reading: Reading): void {
  reading.kind = kindOf(reading);
}

function kindOf(reading: Reading): number {
  if (reading.isSegment) return isFedByStream(reading) ? SpanKind.consumer : SpanKind.server;
  const namespace = reading.topEntry(member.namespace);
  if (reading.isText(namespace, word.aws)) {
    const operation = memberOf(reading, reading.topEntry(member.aws), member.operation);
    return isProducing(reading, operation) ? SpanKind.producer : SpanKind.client;
  }
  const sql = reading.topEntry(member.sql);
  if (reading.isText(namespace, word.remote) || (sql >= 0 && reading.index.kinds[sql] === Kind.object))
    return SpanKind.client;
  const request = memberOf(reading, reading.topEntry(member.http), member.request);
  const traced = memberOf(reading, request, member.traced);
  return traced >= 0 && reading.index.kinds[traced] === Kind.true ? SpanKind.client : SpanKind.internal;
}

function isFedByStream(reading: Reading): boolean {
  const inferred = reading.topEntry(member.inferred);
  const origin = reading.topEntry(member.origin);
  if (inferred < 0 || reading.index.kinds[inferred] !== Kind.true || origin < 0) return false;
  if (reading.index.kinds[origin] !== Kind.text) return false;
  const text = reading.index.textOf(origin);
  return text.startsWith('AWS::SQS') || text.startsWith('AWS::Kinesis');
}

function memberOf(reading: Reading, object: number, name: number): number {
  return object >= 0 && reading.index.kinds[object] === Kind.object ? reading.index.member(object, name) : -1;
}

function isProducing({ index }: Reading, operation: number): boolean {
  return operation >= 0 && index.kinds[operation] === Kind.text && producingOperations.has(index.textOf(operation));
}

/** `convert/name.ts`. */
function readName(reading: Reading): void {
  reading.name = reading.asText(reading.topEntry(member.name));
  if (reading.name < 0) throw unusual;
}

/** `convert/resource.ts` and `convert/identity.ts`. */
function readIdentity(reading: Reading): void {
  const { attributes } = reading;
  attributes.setText(key.user, reading.asText(reading.topEntry(member.user)));
  const precursors = reading.asTexts(reading.topEntry(member.precursorIds));
  if (precursors >= 0) attributes.set(key.precursorIds, Value.json, precursors);
  if (reading.asTrue(reading.topEntry(member.traced))) attributes.set(key.traced, Value.boolean, 1);
  if (reading.isSegment && reading.asTrue(reading.topEntry(member.inferred)))
    attributes.set(key.inferred, Value.boolean, 1);
  const inProgress = reading.topEntry(member.inProgress);
  const isInProgress = reading.asTrue(inProgress);
  const type = reading.topEntry(member.type);
  reading.asText(type);
  if (!reading.isOurs) {
    // A missing end stands for one that is to come, and only for that.
    if (isZero(reading.end) && (!isInProgress || reading.topEntry(member.endTime) >= 0)) throw unusual;
    if (inProgress >= 0 && !isZero(reading.end)) reading.marks[inProgress] = Mark.lost;
    if (type >= 0) reading.marks[type] = Mark.lost;
  }
  if (isZero(reading.end)) attributes.set(key.inProgress, Value.boolean, 1);
}

/** `convert/http.ts`. */
function readHttp(reading: Reading): void {
  const http = reading.asObject(reading.topEntry(member.http));
  if (http < 0) return;
  if (!reading.isOurs) checkHttp(reading, http);
  const { attributes } = reading;
  const request = reading.asObject(reading.entryAt(http, member.request));
  attributes.setText(key.requestMethod, reading.asText(reading.entryAt(request, member.method)));
  readUrl(reading, reading.asText(reading.entryAt(request, member.url)));
  attributes.setText(key.userAgent, reading.asText(reading.entryAt(request, member.userAgent)));
  attributes.setText(key.clientAddress, reading.asText(reading.entryAt(request, member.clientIp)));
  if (reading.asTrue(reading.entryAt(request, member.forwardedFor))) attributes.set(key.forwardedFor, Value.boolean, 1);
  if (reading.asTrue(reading.entryAt(request, member.traced))) attributes.set(key.requestTraced, Value.boolean, 1);

  const response = reading.asObject(reading.entryAt(http, member.response));
  attributes.setInteger(key.statusCode, reading.asInteger(reading.entryAt(response, member.status)));
  attributes.setInteger(key.bodySize, reading.asInteger(reading.entryAt(response, member.contentLength)));
}

/** What `writeHttp` would write in another way than it was: without a method, or with no plain client. */
function checkHttp(reading: Reading, http: number): void {
  const { index } = reading;
  const request = reading.asObject(reading.entryAt(http, member.request));
  if (reading.topEntry(member.sql) >= 0) throw unusual;
  if (request < 0) return;
  const client = reading.asText(index.member(request, member.clientIp));
  const method = reading.asText(index.member(request, member.method));
  const isForwarded = reading.asTrue(index.member(request, member.forwardedFor));
  if (client < 0 ? isForwarded : method < 0 || !isIpv4(index.bytes, reading.startOf(client), reading.endOf(client)))
    throw unusual;
}

function isIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  let dots = 0;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === point && digits > 0) {
      dots += 1;
      digits = 0;
    } else if (byte >= 0x30 && byte <= 0x39 && digits < 3) digits += 1;
    else return false;
  }
  return dots === 3 && digits > 0;
}

function readUrl(reading: Reading, url: number): void {
  if (url < 0) return;
  const { attributes, index } = reading;
  const start = reading.startOf(url);
  const end = reading.endOf(url);
  attributes.set(key.urlFull, Value.text, start, end);
  if (!splitUrlAt(index.bytes, start, end)) return;
  const { schemeStart, schemeEnd, hostStart, hostEnd, pathStart, pathEnd, queryStart, queryEnd } = urlPlaces;
  const isServer = reading.kind === SpanKind.server || reading.kind === SpanKind.consumer;
  if (isServer) {
    if (schemeStart >= 0) attributes.set(key.urlScheme, Value.text, schemeStart, schemeEnd);
    if (pathStart >= 0) attributes.set(key.urlPath, Value.text, pathStart, pathEnd);
    if (queryStart >= 0) attributes.set(key.urlQuery, Value.text, queryStart, queryEnd);
  }
  if (hostEnd > hostStart) attributes.set(key.serverAddress, Value.text, hostStart, hostEnd);
  const port = urlPlaces.port >= 0 || isServer ? urlPlaces.port : defaultPort(reading, schemeStart, schemeEnd);
  if (port >= 0) attributes.set(key.serverPort, Value.int, port);
}

function defaultPort({ index }: Reading, start: number, end: number): number {
  const scheme = start < 0 ? -1 : findName(index.bytes, start, end);
  if (scheme === word.https) return 443;
  return scheme === word.http ? 80 : -1;
}

/** `convert/aws.ts`, but for the surroundings. */
function readAws(reading: Reading): void {
  const aws = reading.asObject(reading.topEntry(member.aws));
  const { attributes } = reading;
  if (!reading.isSegment) {
    attributes.setText(key.accountId, reading.asText(reading.entryAt(aws, member.accountId)));
    if (reading.isText(reading.topEntry(member.namespace), word.aws)) readService(reading, aws);
  }
  if (aws >= 0) readCall(reading, aws);
}

function readService(reading: Reading, aws: number): void {
  const { attributes } = reading;
  attributes.set(key.rpcSystem, Value.name, word.awsApi);
  attributes.setText(key.rpcService, reading.name);
  attributes.setText(key.rpcMethod, reading.asText(reading.entryAt(aws, member.operation)));
  attributes.setText(key.awsService, reading.name);
}

function readCall(reading: Reading, aws: number): void {
  const { attributes } = reading;
  attributes.setText(key.awsOperation, reading.asText(reading.entryAt(aws, member.operation)));
  const region = reading.asText(reading.entryAt(aws, member.region));
  attributes.setText(key.awsRegion, region);
  attributes.setText(key.cloudRegion, region);
  attributes.setText(key.requestId, reading.asText(reading.entryAt(aws, member.requestId)));
  readQueue(reading, reading.asText(reading.entryAt(aws, member.queueUrl)));
  readTables(reading, aws);
  const topic = reading.asText(reading.entryAt(aws, member.topicArn));
  attributes.setText(key.topicArn, topic);
  if (topic >= 0) attributes.set(key.messagingSystem, Value.name, word.awsSns);
  attributes.setText(key.invokedName, reading.asText(reading.entryAt(aws, member.functionName)));
  attributes.setText(key.functionArn, reading.asText(reading.entryAt(aws, member.functionArn)));
  attributes.setInteger(key.retries, reading.asInteger(reading.entryAt(aws, member.retries)));
  readGateway(reading, reading.asObject(reading.entryAt(aws, member.apiGateway)));
}

function readQueue(reading: Reading, url: number): void {
  if (url < 0) return;
  const { attributes, index } = reading;
  attributes.setText(key.queueUrl, url);
  attributes.setText(key.sqsQueueUrl, url);
  attributes.set(key.messagingSystem, Value.name, word.awsSqs);
  const end = reading.endOf(url);
  let start = end;
  while (start > reading.startOf(url) && index.bytes[start - 1] !== slash) start -= 1;
  if (start < end) attributes.set(key.messagingDestination, Value.text, start, end);
}

const slash = 0x2f;

function readTables(reading: Reading, aws: number): void {
  const { attributes } = reading;
  const table = reading.asText(reading.entryAt(aws, member.tableName));
  const tables = reading.asTexts(reading.entryAt(aws, member.tableNames));
  if (table < 0 && tables < 0) return;
  // One table is written as one, and several as several.
  if (!reading.isOurs && tables >= 0 && (table >= 0 || reading.index.size(tables) === 1)) throw unusual;
  attributes.setText(key.tableName, table);
  if (tables >= 0) attributes.set(key.tableNames, Value.json, tables);
  else attributes.set(key.tableNames, Value.listOfText, reading.startOf(table), reading.endOf(table));
  attributes.set(key.databaseSystem, Value.name, word.awsDynamodb);
  attributes.setText(key.databaseCollection, table);
}

function readGateway(reading: Reading, gateway: number): void {
  if (gateway < 0) return;
  if (!reading.isOurs) throw unusual;
  const { attributes } = reading;
  attributes.setText(key.apiId, reading.asText(reading.entryAt(gateway, member.restApiId)));
  attributes.setText(key.apiStage, reading.asText(reading.entryAt(gateway, member.stage)));
  const requestId = reading.asText(reading.entryAt(gateway, member.requestId));
  if (!attributes.has(key.requestId)) attributes.setText(key.requestId, requestId);
  reading.asText(reading.entryAt(gateway, member.accountId));
}

/** `convert/sql.ts`. */
function readSql(reading: Reading): void {
  const sql = reading.asObject(reading.topEntry(member.sql));
  if (sql < 0) return;
  const { attributes } = reading;
  const url = reading.asText(reading.entryAt(sql, member.url));
  const type = reading.asText(reading.entryAt(sql, member.databaseType));
  // An address of the HTTP section would be taken for the database's.
  if (type < 0 || attributes.has(key.serverAddress) || attributes.has(key.serverPort)) throw unusual;
  const system = readSystem(reading, type);
  const isAssembled = url >= 0 && readAddress(reading, url, system);
  attributes.setText(key.queryText, reading.asText(reading.entryAt(sql, member.sanitizedQuery)));
  const connection = reading.asText(reading.entryAt(sql, member.connectionString));
  if (connection >= 0 && holdsPassword(reading, connection)) throw unusual;
  attributes.setText(key.sqlConnectionString, connection);
  attributes.setText(key.sqlDatabaseVersion, reading.asText(reading.entryAt(sql, member.databaseVersion)));
  attributes.setText(key.sqlDriverVersion, reading.asText(reading.entryAt(sql, member.driverVersion)));
  attributes.setText(key.sqlUser, reading.asText(reading.entryAt(sql, member.user)));
  attributes.setText(key.sqlPreparation, reading.asText(reading.entryAt(sql, member.preparation)));
  if (!isAssembled) attributes.setText(key.sqlUrl, url);
}

function holdsPassword(reading: Reading, entry: number): boolean {
  return mayHoldPassword(reading.index.bytes, reading.startOf(entry), reading.endOf(entry));
}

/** The number of the system's stable name; only usual systems have one. */
function readSystem(reading: Reading, type: number): number {
  const { attributes, index } = reading;
  const spelling = findName(index.bytes, reading.startOf(type), reading.endOf(type));
  const system = systems.get(spelling);
  if (system === undefined) throw unusual;
  attributes.set(key.databaseSystem, Value.name, system);
  if (system !== spelling) attributes.setText(key.sqlDatabaseType, type);
  return system;
}

/** True when the attributes lead back to the URL. */
function readAddress(reading: Reading, url: number, system: number): boolean {
  const { attributes, index } = reading;
  const start = reading.startOf(url);
  const end = reading.endOf(url);
  if (holdsPassword(reading, url)) throw unusual;
  if (!splitUrlAt(index.bytes, start, end) || urlPlaces.schemeStart < 0) return false;
  const { hostStart, hostEnd, port, pathStart, pathEnd } = urlPlaces;
  const hasHost = hostEnd > hostStart;
  const hasName = pathStart >= 0 && pathEnd > pathStart + 1;
  if (hasHost) attributes.set(key.serverAddress, Value.text, hostStart, hostEnd);
  if (port >= 0) attributes.set(key.serverPort, Value.int, port);
  if (hasName) attributes.set(key.databaseNamespace, Value.text, pathStart + 1, pathEnd);
  // `system://host:port/name`, and nothing else.
  const portLength = port < 0 ? 0 : 1 + String(port).length;
  const length = hostStart - start + (hostEnd - hostStart) + portLength + (hasName ? pathEnd - pathStart : 0);
  return hasHost && urlPlaces.schemeStart === start && length === end - start && isScheme(reading, system);
}

/** By the number of a usual spelling: the number of the stable name. */
const systems: ReadonlyMap<number, number> = new Map(
  [...sqlSystems, 'PostgreSQL', 'MySQL', 'MariaDB', 'Oracle', 'SQLite', 'Microsoft SQL Server', 'MSSQL'].map(
    (spelling) => [knownName(spelling), knownName(stableSystem(spelling))],
  ),
);

function isScheme({ index }: Reading, system: number): boolean {
  return findName(index.bytes, urlPlaces.schemeStart, urlPlaces.schemeEnd) === system;
}

/** `convert/cause.ts`. */
function readCause(reading: Reading): void {
  const cause = reading.topEntry(member.cause);
  if (cause < 0) return;
  const { attributes, index } = reading;
  if (index.kinds[cause] === Kind.text) return attributes.setText(key.cause, reading.asText(cause));
  const object = reading.asObject(cause);
  if (object < 0) return;
  attributes.setText(key.workingDirectory, reading.asText(reading.entryAt(object, member.workingDirectory)));
  const paths = reading.asTexts(reading.entryAt(object, member.paths));
  if (paths >= 0) attributes.set(key.causePaths, Value.json, paths);
  const list = reading.asList(reading.entryAt(object, member.exceptions));
  if (list < 0) return;
  reading.exceptions = list;
  const end = index.nexts[list] ?? 0;
  for (let entry = list + 1; entry < end; entry = index.nexts[entry] ?? 0) {
    if (index.kinds[entry] !== Kind.object) throw unusual;
    checkException(reading, entry);
    reading.exceptionCount += 1;
  }
}

/** What of an exception becomes attributes must be what it should be, whether it is used or not. */
function checkException(reading: Reading, exception: number): void {
  const { index } = reading;
  reading.asText(index.member(exception, member.type));
  reading.asText(index.member(exception, member.message));
  const stack = reading.asList(index.member(exception, member.stack));
  const end = stack < 0 ? 0 : (index.nexts[stack] ?? 0);
  for (let frame = stack + 1; frame < end; frame = index.nexts[frame] ?? 0) {
    if (index.kinds[frame] !== Kind.object) throw unusual;
    reading.asText(index.member(frame, member.path));
    reading.asText(index.member(frame, member.label));
    reading.asInteger(index.member(frame, member.line));
  }
}

/** `convert/identity.ts`. */
export function readNamespace(reading: Reading): void {
  if (reading.isSegment) return;
  const namespace = reading.asText(reading.topEntry(member.namespace));
  const { attributes, kind } = reading;
  const isCall = kind === SpanKind.client || kind === SpanKind.producer;
  if (namespace < 0) {
    // The kind alone would lead to a namespace.
    if (isCall && !reading.isOurs) throw unusual;
    return;
  }
  const derived = isAwsCall(reading) ? word.aws : word.remote;
  if (!isCall || !reading.isText(namespace, derived)) attributes.setText(key.namespace, namespace);
}

function isAwsCall(reading: Reading): boolean {
  const { attributes } = reading;
  return (
    isAttribute(reading, key.rpcSystemName, word.awsApi) ||
    isAttribute(reading, key.rpcSystem, word.awsApi) ||
    attributes.textPlace(key.awsService) >= 0
  );
}

function isAttribute({ attributes }: Reading, name: number, text: number): boolean {
  const place = attributes.textPlace(name);
  if (place < 0) return false;
  return findName(attributes.textBytes(place), attributes.textStart(place), attributes.textEnd(place)) === text;
}

/** `readOperation` of `convert/name.ts`. */
export function readOperation(reading: Reading): void {
  readSpanName(reading);
  if (reading.isOurs) return;
  checkLegal(reading);
  if (reading.nameStart === reading.startOf(reading.name)) return checkName(reading);
  // A name made of others' parts may be the document's own, letter by letter.
  if (isSameText(reading)) throw unusual;
  reading.attributes.setText(key.name, reading.name);
}

/** A name with other characters than X-Ray's, or with too many, does not come back. */
function checkLegal(reading: Reading): void {
  const { bytes } = reading.index;
  const start = reading.startOf(reading.name);
  const end = reading.endOf(reading.name);
  if (end - start > nameLengthMax) throw unusual;
  for (let i = start; i < end; i++) if (isLegal[bytes[i] ?? 0] === 0) throw unusual;
}

function isSameText({ index, name, nameStart, nameEnd }: Reading): boolean {
  const start = index.starts[name] ?? 0;
  if ((index.ends[name] ?? 0) - start !== nameEnd - nameStart) return false;
  for (let i = nameStart, k = start; i < nameEnd; i++, k++) if (index.bytes[i] !== index.bytes[k]) return false;
  return true;
}

/** Whether `writeName` of `convert/name.ts` finds the name of the span as that of the document. */
function checkName(reading: Reading): void {
  if (reading.isSegment) {
    if (reading.index.textOf(reading.name).startsWith('unknown_service')) throw unusual;
    return;
  }
  const isPlainWork = reading.kind === SpanKind.internal;
  const isPlainCall =
    reading.isText(reading.topEntry(member.namespace), word.aws) ||
    (reading.topEntry(member.http) < 0 && reading.topEntry(member.aws) < 0 && reading.topEntry(member.sql) < 0);
  if (!isPlainWork && !isPlainCall) throw unusual;
}

const nameLengthMax = 200;
/** 1 for the ASCII characters that a name may have. */
const isLegal = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x80 && /[\p{L}\p{N}\s_.:/%&#=+\\\-@]/u.test(String.fromCharCode(byte)) ? 1 : 0,
);

function readSpanName(reading: Reading): void {
  const { attributes, index } = reading;
  const start = index.textEnd;
  if (!reading.isSegment && reading.isText(reading.topEntry(member.namespace), word.aws)) {
    const operation = attributes.textPlace(key.awsOperation);
    if (operation < 0) return nameIsOwn(reading);
    index.append(index.bytes, reading.startOf(reading.name), reading.endOf(reading.name));
    index.appendByte(point);
    appendText(reading, operation);
    return nameIsFrom(reading, start);
  }
  const method = attributes.textPlace(key.requestMethod);
  if (method >= 0) {
    const route = attributes.textPlace(key.route);
    appendText(reading, method);
    if (route >= 0) {
      index.appendByte(space);
      appendText(reading, route);
    }
    return nameIsFrom(reading, start);
  }
  const query = attributes.textPlace(key.queryText);
  if (query < 0 || !appendKeyword(reading, query)) return nameIsOwn(reading);
  const database = attributes.textPlace(key.databaseNamespace);
  if (database >= 0) {
    index.appendByte(space);
    appendText(reading, database);
  }
  nameIsFrom(reading, start);
}

const space = 0x20;

function nameIsOwn(reading: Reading): void {
  reading.nameStart = reading.startOf(reading.name);
  reading.nameEnd = reading.endOf(reading.name);
}

function nameIsFrom(reading: Reading, start: number): void {
  reading.nameStart = start;
  reading.nameEnd = reading.index.textEnd;
}

function appendText({ attributes, index }: Reading, place: number): void {
  index.append(attributes.textBytes(place), attributes.textStart(place), attributes.textEnd(place));
}

const keywordLettersMax = 20;
const leadingSpaceMax = 50;

/** First keyword of a statement in upper case; false when it begins with none. */
function appendKeyword({ attributes, index }: Reading, place: number): boolean {
  const bytes = attributes.textBytes(place);
  const end = attributes.textEnd(place);
  let at = attributes.textStart(place);
  const leadingEnd = at + leadingSpaceMax;
  while (at < end && isSpace(bytes[at] ?? 0)) at += 1;
  if (at > leadingEnd || (at < end && (bytes[at] ?? 0) >= 0x80)) throw unusual;
  const start = at;
  while (at < end && at - start < keywordLettersMax && isLetter(bytes[at] ?? 0)) at += 1;
  if (at - start < 2) return false;
  for (let i = start; i < at; i++) index.appendByte((bytes[i] ?? 0) & 0xdf);
  return true;
}

function isSpace(byte: number): boolean {
  return byte === space || (byte >= 0x09 && byte <= 0x0d);
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}
