/**
 * The attribute keys that the conversion has rules for, as small numbers: looked up by their bytes,
 * so that no string is made of a key.
 */

/** In alphabetical order: the number of a key is its place, and comparing numbers compares keys. */
const keys = [
  'aws.account_id',
  'aws.apigateway.id',
  'aws.apigateway.stage',
  'aws.dynamodb.table_names',
  'aws.function_arn',
  'aws.kinesis.stream_name',
  'aws.lambda.invoked_arn',
  'aws.local.service',
  'aws.operation',
  'aws.queue.url',
  'aws.queue_url',
  'aws.region',
  'aws.remote.service',
  'aws.requestId',
  'aws.request_id',
  'aws.s3.bucket',
  'aws.secretsmanager.secret.arn',
  'aws.service',
  'aws.sns.topic.arn',
  'aws.span.kind',
  'aws.sqs.queue.url',
  'aws.step_functions.state_machine.arn',
  'aws.table.name',
  'aws.table_name',
  'aws.topic_arn',
  'aws.xray.annotations',
  'aws.xray.cause',
  'aws.xray.error',
  'aws.xray.fault',
  'aws.xray.sql.user',
  'aws.xray.throttle',
  'aws.xray.x_forwarded_for',
  'client.address',
  'cloud.region',
  'db.collection.name',
  'db.connection_string',
  'db.name',
  'db.namespace',
  'db.query.text',
  'db.statement',
  'db.system',
  'db.system.name',
  'db.user',
  'enduser.id',
  'error.type',
  'exception.type',
  'faas.invoked_name',
  'host.name',
  'http.client_ip',
  'http.host',
  'http.method',
  'http.request.method',
  'http.response.body.size',
  'http.response.header.content-length',
  'http.response.status_code',
  'http.response_content_length',
  'http.route',
  'http.scheme',
  'http.server_name',
  'http.status_code',
  'http.status_text',
  'http.target',
  'http.url',
  'http.user_agent',
  'message.type',
  'messaging.destination',
  'messaging.destination.name',
  'messaging.system',
  'messaging.url',
  'net.host.name',
  'net.host.port',
  'net.peer.ip',
  'net.peer.name',
  'net.peer.port',
  'net.sock.peer.name',
  'network.peer.address',
  'network.peer.port',
  'peer.service',
  'rpc.grpc.status_code',
  'rpc.method',
  'rpc.response.status_code',
  'rpc.service',
  'rpc.system',
  'rpc.system.name',
  'server.address',
  'server.port',
  'service.peer.name',
  'url.full',
  'url.path',
  'url.query',
  'url.scheme',
  'user.id',
  'user.name',
  'user_agent.original',
] as const;

export type AttributeKey = (typeof keys)[number];

export const keyCount = keys.length;

export function keyNumber(key: AttributeKey): number {
  return keys.indexOf(key);
}

/** UTF-8 of each key, by number. */
export const keyBytes: readonly Uint8Array[] = keys.map((key) => new TextEncoder().encode(key));

/** Numbers by hash, linear probing; four times as many slots as keys. */
const slotCount = 512;
const slots = new Int16Array(slotCount).fill(-1);
for (const [number, bytes] of keyBytes.entries()) {
  let slot = hashOf(bytes, 0, bytes.length);
  while (slots[slot] !== -1) slot = (slot + 1) % slotCount;
  slots[slot] = number;
}

/** Length and four bytes tell most keys apart; equality is checked all the same. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const middle = bytes[start + (length >> 1)] ?? 0;
  const last = bytes[end - 1] ?? 0;
  const third = bytes[end - 3] ?? 0;
  return (length * 37 + middle * 7 + last * 101 + third * 13 + (bytes[start] ?? 0) * 3) & (slotCount - 1);
}

/** The number of the key in `bytes[start, end)`; -1 when there is no rule for it. */
export function findKey(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let slot = hashOf(bytes, start, end);
  for (;;) {
    const number = slots[slot] ?? -1;
    if (number < 0) return -1;
    const key = keyBytes[number];
    if (key !== undefined && key.length === length && isSame(key, bytes, start)) return number;
    slot = (slot + 1) & (slotCount - 1);
  }
}

function isSame(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
