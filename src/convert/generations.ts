import type { AttributeValue, Attributes } from '../model/index.ts';
import { SpanKind } from '../model/index.ts';
import { setAttribute, textsOf } from './section.ts';

/**
 * Older keys by their stable successors (semantic conventions, "HTTP" and "database" migration).
 * The document shows a value once; the envelope says under which name the span had it.
 */
export const successors: ReadonlyMap<string, string> = new Map([
  ['http.method', 'http.request.method'],
  ['http.status_code', 'http.response.status_code'],
  ['http.url', 'url.full'],
  ['http.scheme', 'url.scheme'],
  ['http.user_agent', 'user_agent.original'],
  ['http.client_ip', 'client.address'],
  ['http.response_content_length', 'http.response.body.size'],
  ['http.host', 'server.address'],
  ['net.host.name', 'server.address'],
  ['net.host.port', 'server.port'],
  ['net.peer.name', 'server.address'],
  ['net.peer.port', 'server.port'],
  ['db.system', 'db.system.name'],
  ['db.name', 'db.namespace'],
  ['db.statement', 'db.query.text'],
  ['db.user', 'aws.xray.sql.user'],
  ['db.connection_string', 'aws.xray.sql.connection_string'],
  ['user.id', 'enduser.id'],
  ['aws.requestId', 'aws.request_id'],
  ['aws.topic_arn', 'aws.sns.topic.arn'],
  ['aws.lambda.invoked_arn', 'aws.function_arn'],
]);

/** Names of attributes: of the stable semantic conventions, of those before 1.20, or both side by side. */
export type Semconv = 'stable' | 'legacy' | 'both';

/** The older key of a stable one; where several led to it, the one that the Collector's receiver writes. */
const predecessors: ReadonlyMap<string, string> = new Map([
  ['http.request.method', 'http.method'],
  ['http.response.status_code', 'http.status_code'],
  ['http.response.body.size', 'http.response_content_length'],
  ['url.full', 'http.url'],
  ['url.scheme', 'http.scheme'],
  ['user_agent.original', 'http.user_agent'],
  ['client.address', 'http.client_ip'],
  ['db.system.name', 'db.system'],
  ['db.namespace', 'db.name'],
  ['db.query.text', 'db.statement'],
  ['aws.xray.sql.user', 'db.user'],
  ['aws.xray.sql.connection_string', 'db.connection_string'],
  ['messaging.destination.name', 'messaging.destination'],
]);

const hostPredecessors: ReadonlyMap<string, string> = new Map([
  ['server.address', 'net.host.name'],
  ['server.port', 'net.host.port'],
]);
const peerPredecessors: ReadonlyMap<string, string> = new Map([
  ['server.address', 'net.peer.name'],
  ['server.port', 'net.peer.port'],
]);

/**
 * Changes attributes under construction, which have the stable names, to those of another
 * generation. Annotations keep the names that their sender gave them.
 */
export function renameAttributes(
  attributes: Map<string, AttributeValue>,
  { semconv, kind }: { readonly semconv: Semconv; readonly kind: number },
): void {
  if (semconv === 'stable') return;
  const isServer = kind === SpanKind.server || kind === SpanKind.consumer;
  const addresses = isServer ? hostPredecessors : peerPredecessors;
  const annotated = new Set(textsOf(attributes.get('aws.xray.annotations')));
  const target = annotated.has('url.path') || annotated.has('url.query') ? undefined : legacyTarget(attributes);
  if (target !== undefined && !attributes.has('http.target')) {
    attributes.set('http.target', target);
    if (semconv === 'legacy') for (const key of ['url.path', 'url.query']) attributes.delete(key);
  }
  for (const [key, value] of new Map(attributes)) {
    const older = predecessors.get(key) ?? addresses.get(key);
    if (older === undefined || attributes.has(older) || annotated.has(key)) continue;
    attributes.set(older, key === 'db.system.name' ? legacySystem(value) : value);
    if (semconv === 'legacy') attributes.delete(key);
  }
  if (semconv === 'both' && !attributes.has('user.id'))
    setAttribute(attributes, 'user.id', attributes.get('enduser.id'));
}

function legacyTarget(attributes: Attributes): string | undefined {
  const path = attributes.get('url.path');
  const query = attributes.get('url.query');
  if (typeof path !== 'string') return undefined;
  return typeof query === 'string' ? `${path}?${query}` : path;
}

/** Values of `db.system` that have another name as `db.system.name`. */
const legacySystems: ReadonlyMap<AttributeValue, string> = new Map([
  ['ibm.db2', 'db2'],
  ['microsoft.sql_server', 'mssql'],
  ['oracle.db', 'oracle'],
  ['h2database', 'h2'],
  ['firebirdsql', 'firebird'],
  ['aws.redshift', 'redshift'],
  ['aws.dynamodb', 'dynamodb'],
  ['gcp.spanner', 'spanner'],
  ['sap.hana', 'hanadb'],
  ['sap.maxdb', 'maxdb'],
  ['ibm.informix', 'informix'],
  ['ibm.netezza', 'netezza'],
]);

function legacySystem(system: AttributeValue): AttributeValue {
  return legacySystems.get(system) ?? system;
}
