import { closeBrace, closeBracket, comma } from '../../codec/json-bytes.ts';
import { decodeText } from '../../codec/utf8.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { isAwsRpc } from './name.ts';
import { awsApi, awsDynamoDb, awsSns, awsSqs, literal } from './page.ts';

/** `aws` of a subsegment: which AWS service was called, as the conversion's `aws.ts` writes and reads it. */

const operation = keyNumber('aws.operation');
const rpcMethod = keyNumber('rpc.method');
const rpcSystem = keyNumber('rpc.system');
const rpcService = keyNumber('rpc.service');
const service = keyNumber('aws.service');
const region = keyNumber('aws.region');
const cloudRegion = keyNumber('cloud.region');
const requestId = keyNumber('aws.request_id');
const requestIdOlder = keyNumber('aws.requestId');
const queueUrl = keyNumber('aws.queue_url');
const queueUrlKeys = [
  queueUrl,
  keyNumber('aws.queue.url'),
  keyNumber('aws.sqs.queue.url'),
  keyNumber('messaging.url'),
] as const;
const sqsQueueUrl = keyNumber('aws.sqs.queue.url');
const messagingSystem = keyNumber('messaging.system');
const destinationName = keyNumber('messaging.destination.name');
const tableName = keyNumber('aws.table_name');
const tableNameOlder = keyNumber('aws.table.name');
const tableNames = keyNumber('aws.dynamodb.table_names');
const databaseSystem = keyNumber('db.system.name');
const collection = keyNumber('db.collection.name');
const topicArn = keyNumber('aws.sns.topic.arn');
const topicArnOlder = keyNumber('aws.topic_arn');
const bucket = keyNumber('aws.s3.bucket');

const memberAws = literal(',"aws":{');
const memberOperation = literal('"operation":');
const memberRegion = literal('"region":');
const memberRequestId = literal('"request_id":');
const memberQueueUrl = literal('"queue_url":');
const memberTableName = literal('"table_name":');
const memberTopicArn = literal('"topic_arn":');
const memberResourceNames = literal('"resource_names":[');
const slash = 0x2f;

/** Whether a segment would show something of a call, which is not usual. */
export function hasAwsCall(draft: Draft): boolean {
  return isAwsRpc(draft) || callKeys.some((key) => draft.has(key));
}

const callKeys = [
  operation,
  service,
  region,
  cloudRegion,
  requestId,
  requestIdOlder,
  ...queueUrlKeys,
  tableName,
  tableNameOlder,
  tableNames,
  topicArn,
  topicArnOlder,
  bucket,
];

/** `ownRegion` is that of the resource; a span need not repeat it. */
export function writeAws(draft: Draft, ownRegion: string | undefined): void {
  const { page, restored } = draft;
  page.put(memberAws);
  const start = page.pos;
  writeOperation(draft, start);
  writeText(draft, start, memberRegion, regionPlace(draft, ownRegion), region);
  if (restored.has(region)) restored.text(cloudRegion, restored.start[region] ?? 0, restored.end[region] ?? 0);
  writeText(draft, start, memberRequestId, draft.showFirst(requestId, requestIdOlder), requestId);
  writeQueue(draft, start);
  writeTable(draft, start);
  writeText(draft, start, memberTopicArn, draft.showFirst(topicArn, topicArnOlder), topicArn);
  if (restored.has(topicArn)) {
    // One span that calls both a queue and a topic has no one messaging system.
    if (restored.has(messagingSystem)) draft.isUsual = false;
    restored.text(messagingSystem, awsSns.start, awsSns.end);
  }
  writeBucket(draft, start);
  draft.hasAwsCall = page.pos > start;
  if (draft.hasAwsCall) page.byte(closeBrace);
  else page.pos -= memberAws.length;
  if (draft.namespace === 'aws') restoreService(draft);
}

function regionPlace(draft: Draft, ownRegion: string | undefined): number {
  const place = draft.place(region);
  const other = draft.place(cloudRegion);
  const isOther =
    place < 0 && other >= 0 && decodeText(draft.page.view, draft.start(other), draft.end(other)) !== ownRegion;
  const chosen = isOther ? other : place;
  if (chosen >= 0) draft.show(chosen);
  return chosen;
}

/** A member of the value at a place, which a reader takes for the attribute of that key; nothing for place -1. */
function writeText(draft: Draft, objectStart: number, member: Uint8Array, place: number, key: number): void {
  if (place < 0) return;
  writeRange(draft, objectStart, member, draft.start(place), draft.end(place));
  draft.restored.text(key, draft.start(place), draft.end(place));
}

function writeRange({ page }: Draft, objectStart: number, member: Uint8Array, start: number, end: number): void {
  if (page.pos > objectStart) page.byte(comma);
  page.put(member);
  page.text(start, end);
}

/** Only AWS calls have an operation; of `Service/Operation` the part after the slash. */
function writeOperation(draft: Draft, objectStart: number): void {
  const { bytes } = draft.page;
  let place = draft.place(operation);
  if (place < 0 && isAwsRpc(draft)) place = draft.place(rpcMethod);
  if (place < 0) return;
  draft.show(place);
  const end = draft.end(place);
  let start = draft.start(place);
  if (place === draft.place(rpcMethod)) {
    let at = end;
    while (at > start && bytes[at - 1] !== slash) at--;
    start = at;
  }
  if (start === end) return;
  writeRange(draft, objectStart, memberOperation, start, end);
  draft.operationStart = start;
  draft.operationEnd = end;
  draft.restored.text(operation, start, end);
}

function writeQueue(draft: Draft, objectStart: number): void {
  let chosen = -1;
  for (const key of queueUrlKeys) {
    const place = draft.place(key);
    if (place < 0 || (chosen >= 0 && !draft.sameValue(chosen, place))) continue;
    if (chosen < 0) chosen = place;
    draft.show(place);
  }
  if (chosen < 0) return;
  writeText(draft, objectStart, memberQueueUrl, chosen, queueUrl);
  const { restored } = draft;
  const start = draft.start(chosen);
  const end = draft.end(chosen);
  restored.text(sqsQueueUrl, start, end);
  restored.text(messagingSystem, awsSqs.start, awsSqs.end);
  let name = end;
  while (name > start && draft.page.bytes[name - 1] !== slash) name--;
  if (name < end) restored.text(destinationName, name, end);
}

function writeTable(draft: Draft, objectStart: number): void {
  const { span, restored } = draft;
  const named = draft.showFirst(tableName, tableNameOlder);
  const list = draft.place(tableNames);
  if (list >= 0 && !isOneText(draft, list)) draft.isUsual = false;
  if (list < 0) {
    // A reader makes a list of the name, and no range of the request is one.
    if (named < 0) return;
    restored.other(tableNames);
    writeText(draft, objectStart, memberTableName, named, tableName);
  } else {
    const start = span.elementStart;
    const end = span.elementEnd;
    if (named >= 0 && !draft.page.same(start, end, draft.start(named), draft.end(named))) draft.isUsual = false;
    writeRange(draft, objectStart, memberTableName, start, end);
    restored.text(tableName, start, end);
    restored.same(tableNames);
  }
  restored.text(databaseSystem, awsDynamoDb.start, awsDynamoDb.end);
  restored.text(collection, restored.start[tableName] ?? 0, restored.end[tableName] ?? 0);
}

/** True for a list of one text that is not empty. */
function isOneText({ span }: Draft, place: number): boolean {
  return span.readOnlyText(place) && span.elementEnd > span.elementStart;
}

/** The bucket stays in the metadata too, because a reader does not know what the name is of. */
function writeBucket(draft: Draft, objectStart: number): void {
  const place = draft.place(bucket);
  if (place < 0) return;
  writeRange(draft, objectStart, memberResourceNames, draft.start(place), draft.end(place));
  draft.page.byte(closeBracket);
}

/** A subsegment of namespace `aws` has the name of the service that was called. */
function restoreService(draft: Draft): void {
  const { restored, nameStart, nameEnd } = draft;
  restored.text(rpcSystem, awsApi.start, awsApi.end);
  restored.text(rpcService, nameStart, nameEnd);
  restored.text(service, nameStart, nameEnd);
  if (draft.operationEnd > draft.operationStart) restored.text(rpcMethod, draft.operationStart, draft.operationEnd);
}
