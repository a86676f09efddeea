import type { AttributeValue, Attributes, JsonObject, Span } from '../../model/index.ts';
import { SpanKind } from '../../model/index.ts';
import { isAddress } from '../http.ts';
import { objectOf } from '../section.ts';
import type { CollectorView } from './view.ts';
import { integerIn, textIn } from './view.ts';

/** `http`, by the rules of the Collector's exporter (http.go). Of two attributes for one part the later wins. */

/** What an attribute says of the span: that it is of HTTP, that its URL can be told. */
type Sign = 'http' | 'url' | 'both' | 'none';

/** Attributes that are taken, also where no `http` comes of it. Older and stable names share a part. */
const parts: ReadonlyMap<string, readonly [part: string, sign: Sign]> = new Map([
  ['http.method', ['method', 'http']],
  ['http.request.method', ['method', 'http']],
  ['http.user_agent', ['userAgent', 'http']],
  ['user_agent.original', ['userAgent', 'http']],
  ['http.status_code', ['status', 'http']],
  ['http.response.status_code', ['status', 'http']],
  ['http.url', ['url', 'both']],
  ['url.full', ['url', 'both']],
  ['http.scheme', ['scheme', 'http']],
  ['url.scheme', ['scheme', 'http']],
  ['http.host', ['host', 'both']],
  ['http.target', ['target', 'http']],
  ['url.path', ['path', 'http']],
  ['url.query', ['query', 'http']],
  ['http.server_name', ['serverName', 'both']],
  ['net.host.name', ['hostName', 'url']],
  ['host.name', ['machineName', 'url']],
  ['net.host.port', ['hostPort', 'http']],
  ['server.address', ['serverAddress', 'url']],
  ['server.port', ['serverPort', 'none']],
  ['net.peer.name', ['peerName', 'url']],
  ['net.peer.ip', ['peerIp', 'url']],
  ['net.peer.port', ['peerPort', 'none']],
  ['http.client_ip', ['clientIp', 'http']],
  ['client.address', ['clientAddress', 'none']],
  // A sign of the URL when it is an IP address; see below.
  ['network.peer.address', ['peerAddress', 'none']],
]);

export function writeHttp(view: CollectorView): JsonObject | undefined {
  const { span } = view;
  const found = new Map<string, AttributeValue>();
  const signs = new Set<Sign>();
  for (const [key, value] of span.attributes) {
    const [part, sign] = parts.get(key) ?? [];
    if (part === undefined || sign === undefined) continue;
    view.rest.delete(key);
    found.set(part, value);
    signs.add(sign);
  }
  if (!signs.has('http') && !signs.has('both')) return undefined;

  const hasUrl = signs.has('url') || signs.has('both') || isPlainAddress(textIn(found, 'peerAddress'));
  const client = clientOf(span.attributes);
  const request = objectOf({
    x_forwarded_for: client.isForwarded ? true : undefined,
    method: textIn(found, 'method'),
    url: hasUrl ? urlOf(found, span.kind) : undefined,
    user_agent: textIn(found, 'userAgent'),
    client_ip: client.address,
  });
  const response = objectOf({
    status: found.has('status') ? { literal: String(integerIn(found, 'status')) } : undefined,
    content_length: { literal: String(receivedSize(span)) },
  });
  return objectOf({ request: request ?? new Map(), response });
}

/** A client beside which no peer is known is taken for one that a proxy told of. */
function clientOf(attributes: Attributes): { readonly address: string; readonly isForwarded: boolean } {
  let address = '';
  let hasPeer = false;
  for (const [key, value] of attributes) {
    const text = typeof value === 'string' ? value : '';
    if (key === 'http.client_ip' || (key === 'client.address' && isPlainAddress(text))) address = text;
    if (key !== 'net.peer.ip' && (key !== 'network.peer.address' || !isPlainAddress(text))) continue;
    hasPeer = true;
    if (address === '') address = text;
  }
  return { address, isForwarded: address !== '' && !hasPeer };
}

/** The exporter takes no IPv6 address with a zone. */
function isPlainAddress(text: string): boolean {
  return isAddress(text) && !text.includes('%');
}

const serverHosts = ['host', 'serverName', 'hostName', 'machineName', 'serverAddress'] as const;
const clientHosts = ['host', 'peerName', 'peerIp'] as const;
const serverPorts = ['hostPort', 'serverPort'] as const;
const clientPorts = ['peerPort'] as const;

/** A part counts when it is there, even empty. A client's `server.address` is not among its hosts. */
function urlOf(found: Attributes, kind: number): string {
  if (found.has('url')) return textIn(found, 'url');
  const isServer = kind === SpanKind.server;
  const host = textIn(found, (isServer ? serverHosts : clientHosts).find((part) => found.has(part)) ?? '');
  const portPart = (isServer ? serverPorts : clientPorts).find((part) => found.has(part));
  // The Host header carries its port with it.
  const port = portPart === undefined || found.has('host') ? '' : portOf(found, portPart);
  const scheme = found.has('scheme') ? textIn(found, 'scheme') : 'http';
  const isDefault = (scheme === 'http' && port === '80') || (scheme === 'https' && port === '443');
  return `${scheme}://${host}${port === '' || isDefault ? '' : `:${port}`}${targetOf(found)}`;
}

function portOf(found: Attributes, part: string): string {
  return textIn(found, part) || String(integerIn(found, part));
}

function targetOf(found: Attributes): string {
  if (found.has('target')) return textIn(found, 'target');
  const path = found.has('path') ? textIn(found, 'path') : '/';
  if (!found.has('query')) return path;
  const query = textIn(found, 'query');
  return `${path}${query.startsWith('?') ? '' : '?'}${query}`;
}

/** Size of the answer as older instrumentations told it; 0 for any other, and written as such. */
function receivedSize({ attributes, events }: Span): bigint {
  for (const source of [attributes, ...events.map((event) => event.attributes)]) {
    const isReceived = source.get('message.type') === 'RECEIVED';
    const size = isReceived ? integerIn(source, 'messaging.message_payload_size_bytes') : 0n;
    if (size !== 0n) return size;
  }
  return 0n;
}
