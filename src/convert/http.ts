import type { AttributeValue, JsonObject, JsonValue } from '../model/index.ts';
import { SpanKind } from '../model/index.ts';
import type { DocumentView, SpanView } from './section.ts';
import {
  integerAt,
  objectOf,
  placeAt,
  rootPlace,
  setAttribute,
  showFlag,
  showInteger,
  showText,
  textAt,
  textOf,
  textsOf,
  toInteger,
  trueAt,
} from './section.ts';
import { hostInUrl, splitUrl } from './url.ts';

/**
 * `http` (AWS X-Ray developer guide, "HTTP request data") from the HTTP attributes of both
 * generations of semantic conventions; where both are present the stable name wins.
 */

/** Attributes that only an HTTP span has. Addresses alone make none: databases and queues have them too. */
const httpKeys = [
  'http.request.method',
  'http.method',
  'http.response.status_code',
  'http.status_code',
  'url.full',
  'http.url',
  'url.path',
  'url.query',
  'url.scheme',
  'http.target',
  'http.scheme',
  'http.host',
  'http.server_name',
  'user_agent.original',
  'http.user_agent',
  'http.client_ip',
  'http.response.body.size',
  'http.response_content_length',
  'aws.xray.request_traced',
] as const;

export function writeHttp(view: SpanView): JsonObject | undefined {
  if (!httpKeys.some((key) => view.attributes.has(key))) return undefined;
  const request = objectOf({
    method: requestMethod(view),
    url: requestUrl(view),
    user_agent: showText(view, 'user_agent.original', 'http.user_agent'),
    ...writeClient(view),
    traced: showFlag(view, 'aws.xray.request_traced') ? true : undefined,
  });
  const response = objectOf({
    status: showInteger(view, 'http.response.status_code', 'http.status_code'),
    content_length: contentLength(view),
  });
  return objectOf({ request, response });
}

/** `_OTHER` stands for a method that the conventions do not know; the original says which. */
function requestMethod(view: SpanView): string | undefined {
  const method = showText(view, 'http.request.method', 'http.method');
  return method === '_OTHER' ? (showText(view, 'http.request.method_original') ?? method) : method;
}

function requestUrl(view: SpanView): string | undefined {
  return showText(view, 'url.full', 'http.url') ?? assembledUrl(view);
}

const serverHostKeys = ['server.address', 'http.host', 'http.server_name', 'net.host.name', 'host.name'] as const;
const clientHostKeys = ['server.address', 'http.host', 'net.peer.name', 'net.peer.ip', 'network.peer.address'] as const;

/** The URL of its parts; a path alone when no host is known. */
function assembledUrl(view: SpanView): string | undefined {
  const isServer = view.span.kind === SpanKind.server;
  const hostKey = (isServer ? serverHostKeys : clientHostKeys).find((key) => textOf(view.attributes, key));
  const target = requestTarget(view);
  if (hostKey === undefined) return target;

  const host = showText(view, hostKey) ?? '';
  // The Host header carries its port with it.
  const portKeys = isServer ? ['server.port', 'net.host.port'] : ['server.port', 'net.peer.port', 'network.peer.port'];
  const port = hostKey === 'http.host' ? undefined : firstInteger(view, portKeys);
  const scheme = showText(view, 'url.scheme', 'http.scheme') ?? (port === 443n ? 'https' : 'http');
  const authority = hostKey === 'http.host' ? host : hostInUrl(host);
  return `${scheme}://${authority}${isDefaultPort(scheme, port) ? '' : `:${port}`}${target ?? '/'}`;
}

function requestTarget(view: SpanView): string | undefined {
  const path = showText(view, 'url.path');
  const query = showText(view, 'url.query');
  if (path === undefined && query === undefined) return showText(view, 'http.target');
  const mark = query === undefined || query.startsWith('?') ? '' : '?';
  return `${path ?? '/'}${mark}${query ?? ''}`;
}

function firstInteger(view: SpanView, keys: readonly string[]): bigint | undefined {
  const key = keys.find((candidate) => toInteger(view.attributes.get(candidate)) !== undefined);
  if (key === undefined) return undefined;
  view.shown.add(key);
  return toInteger(view.attributes.get(key));
}

function isDefaultPort(scheme: string, port: bigint | undefined): boolean {
  return port === undefined || port === defaultPorts.get(scheme);
}

const defaultPorts: ReadonlyMap<string | undefined, bigint> = new Map([
  ['http', 80n],
  ['https', 443n],
]);

/** True for an IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  return addressPattern.test(text);
}

const addressPattern = /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[^:]*:[^:]*:)[0-9a-f:.]{2,45}(?:%\w{1,20})?)$/i;

/**
 * `client_ip`, and `x_forwarded_for` when a proxy's header is where it comes from. Under the older
 * conventions `http.client_ip` was taken from that header only; under the stable ones the client
 * then differs from the peer.
 */
function writeClient(view: SpanView): { client_ip?: JsonValue | undefined; x_forwarded_for?: true | undefined } {
  const { attributes } = view;
  const peer = textOf(attributes, 'network.peer.address') ?? textOf(attributes, 'net.peer.ip');
  const client = clientAddress(view, peer);
  if (client === undefined) return {};

  const known = showFlag(view, 'aws.xray.x_forwarded_for');
  const isLegacy = !attributes.has('client.address') && attributes.has('http.client_ip');
  const forwarded = known ?? (isLegacy ? peer === undefined : peer !== undefined && peer !== client);
  return { client_ip: client, x_forwarded_for: forwarded ? true : undefined };
}

function clientAddress(view: SpanView, peer: string | undefined): string | undefined {
  const stable = textOf(view.attributes, 'client.address');
  if (stable !== undefined && isAddress(stable)) return showText(view, 'client.address', 'http.client_ip');
  const legacy = showText(view, 'http.client_ip');
  if (legacy !== undefined || view.span.kind !== SpanKind.server) return legacy;
  return peer !== undefined && isAddress(peer) ? showText(view, 'network.peer.address', 'net.peer.ip') : undefined;
}

function contentLength(view: SpanView): JsonValue | undefined {
  const known = showInteger(view, 'http.response.body.size', 'http.response_content_length');
  if (known !== undefined) return known;
  const header = textsOf(view.attributes.get('http.response.header.content-length'))?.[0];
  const size = toInteger(header) ?? receivedSize(view);
  return size === undefined ? undefined : { literal: size.toString() };
}

/** Size of the answer as older instrumentations told it: on a message event. */
function receivedSize(view: SpanView): bigint | undefined {
  const sources = [view.attributes, ...view.span.events.map((event) => event.attributes)];
  const received = sources.find((source) => source.get('message.type') === 'RECEIVED');
  return toInteger(received?.get('messaging.message_payload_size_bytes'));
}

export function readHttp(view: DocumentView): void {
  const http = placeAt(view, rootPlace(view), 'http');
  if (!http) return;
  const { attributes } = view;
  const request = placeAt(view, http, 'request');
  setAttribute(attributes, 'http.request.method', textAt(view, request, 'method'));
  readUrl(view, textAt(view, request, 'url'));
  setAttribute(attributes, 'user_agent.original', textAt(view, request, 'user_agent'));
  setAttribute(attributes, 'client.address', textAt(view, request, 'client_ip'));
  setAttribute(attributes, 'aws.xray.x_forwarded_for', trueAt(view, request, 'x_forwarded_for'));
  setAttribute(attributes, 'aws.xray.request_traced', trueAt(view, request, 'traced'));

  const response = placeAt(view, http, 'response');
  setAttribute(attributes, 'http.response.status_code', integerAt(view, response, 'status'));
  setAttribute(attributes, 'http.response.body.size', integerAt(view, response, 'content_length'));
}

/** Servers know their URL by its parts, clients know the whole and where it leads. */
function readUrl(view: DocumentView, url: string | undefined): void {
  if (url === undefined) return;
  const { attributes } = view;
  attributes.set('url.full', url);
  const parts = splitUrl(url);
  if (!parts) return;

  const isServer = view.kind === SpanKind.server || view.kind === SpanKind.consumer;
  const port = parts.port ?? (isServer ? undefined : defaultPorts.get(parts.scheme));
  const values: Readonly<Record<string, AttributeValue>> = isServer
    ? { 'url.scheme': parts.scheme, 'url.path': parts.path, 'url.query': parts.query }
    : {};
  for (const key of Object.keys(values)) setAttribute(attributes, key, values[key]);
  setAttribute(attributes, 'server.address', parts.host);
  setAttribute(attributes, 'server.port', port);
}
