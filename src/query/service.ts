import type { JsonObject, SegmentDocument, SegmentNode, ServiceName } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import { readList, readObject, readText } from './members.ts';

/** Which member of `aws` names the node of an inferred resource. */
const resourceNameMembers: ReadonlyMap<string, (aws: JsonObject | undefined) => string | undefined> = new Map([
  ['AWS::DynamoDB::Table', tableNameOf],
  ['AWS::SQS::Queue', (aws) => readText(aws, 'queue_url')],
  ['AWS::S3::Bucket', (aws) => readText(aws, 'bucket_name')],
  ['AWS::Lambda', (aws) => readText(aws, 'function_name')],
]);

/**
 * Name and type a segment has as a node of the service graph. A segment that reports itself goes
 * by its name and origin. An inferred one goes by its resource (table, queue URL) although its
 * document keeps the name of the call, and is `remote` when nothing tells what it is.
 */
export function serviceOf(document: SegmentDocument): ServiceName {
  const aws = readObject(document, 'aws');
  const origin = readText(document, 'origin');
  const name = readText(document, 'name') ?? '';
  const accountId = readText(aws, 'account_id');
  if (document.get('inferred') !== true) return { name, type: origin, accountId };
  const resourceName = origin === undefined ? undefined : resourceNameMembers.get(origin)?.(aws);
  return { name: resourceName ?? name, type: origin ?? 'remote', accountId };
}

/** The one table of a DynamoDB call; undefined when the call names none or several. */
export function tableNameOf(aws: JsonObject | undefined): string | undefined {
  const tableName = readText(aws, 'table_name');
  if (tableName !== undefined) return tableName;
  const tableNames = readList(aws, 'table_names');
  const only = tableNames.length === 1 ? tableNames[0] : undefined;
  return typeof only === 'string' ? only : undefined;
}

/**
 * The node in front of a root segment: whoever called us. Undefined for a consumer that a link
 * joins to its producer's trace, because the queue stands in front of that one.
 */
export function clientOf(root: SegmentNode | undefined): ServiceName | undefined {
  if (!root?.service || parentLinksOf(root).length > 0) return undefined;
  const userAgent = readText(readObject(readObject(root.document, 'http'), 'request'), 'user_agent');
  const type = userAgent?.includes('CloudWatchSynthetics') ? 'client::Synthetics' : 'client';
  return { name: root.service.name, type, accountId: undefined };
}

/** Links of a consumer's segment that point at the call that sent to it (trace linking of SQS and Lambda). */
export function parentLinksOf(segment: SegmentNode): readonly JsonObject[] {
  return readList(segment.document, 'links').filter(
    (link): link is JsonObject =>
      isJsonObject(link) && readText(readObject(link, 'attributes'), 'aws.xray.reserved.reference_type') === 'parent',
  );
}

/** Equal for equal services only, whatever characters their names hold. */
export function serviceKey({ name, type, accountId }: ServiceName): string {
  const typed = type === undefined ? '' : ` ${type.length} ${type}`;
  return `${name.length} ${name}${typed}${accountId === undefined ? '' : `/${accountId}`}`;
}
