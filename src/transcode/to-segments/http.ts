import { closeBrace, comma } from '../../codec/json-bytes.ts';
import { isAddress } from '../../convert/http.ts';
import { decodeText } from '../../codec/utf8.ts';
import { SpanKind } from '../../model/index.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { literal } from './page.ts';

/** `http`, as the conversion's `http.ts` writes and reads it. */

const method = keyNumber('http.request.method');
const methodOlder = keyNumber('http.method');
const status = keyNumber('http.response.status_code');
const statusOlder = keyNumber('http.status_code');
const urlFull = keyNumber('url.full');
const urlOlder = keyNumber('http.url');
const urlPath = keyNumber('url.path');
const urlQuery = keyNumber('url.query');
const urlScheme = keyNumber('url.scheme');
const schemeOlder = keyNumber('http.scheme');
const target = keyNumber('http.target');
const hostHeader = keyNumber('http.host');
const userAgent = keyNumber('user_agent.original');
const userAgentOlder = keyNumber('http.user_agent');
const bodySize = keyNumber('http.response.body.size');
const bodySizeOlder = keyNumber('http.response_content_length');
const serverAddress = keyNumber('server.address');
const serverPort = keyNumber('server.port');
const netHostName = keyNumber('net.host.name');
const netHostPort = keyNumber('net.host.port');
const hostName = keyNumber('host.name');
const netPeerName = keyNumber('net.peer.name');
const netPeerIp = keyNumber('net.peer.ip');
const netPeerPort = keyNumber('net.peer.port');
const peerAddress = keyNumber('network.peer.address');
const peerPort = keyNumber('network.peer.port');
const clientAddress = keyNumber('client.address');
const clientIp = keyNumber('http.client_ip');
const forwardedFor = keyNumber('aws.xray.x_forwarded_for');

/** Attributes that only an HTTP span has. */
const httpKeys = [
  method,
  status,
  urlFull,
  urlPath,
  urlScheme,
  methodOlder,
  statusOlder,
  urlOlder,
  target,
  schemeOlder,
  hostHeader,
  urlQuery,
  userAgent,
  userAgentOlder,
  bodySize,
  bodySizeOlder,
  clientIp,
] as const;

const serverHosts = [serverAddress, hostHeader, netHostName, hostName] as const;
const clientHosts = [serverAddress, hostHeader, netPeerName, netPeerIp, peerAddress] as const;
const serverPorts = [serverPort, netHostPort] as const;
const clientPorts = [serverPort, netPeerPort, peerPort] as const;

const memberHttp = literal(',"http":{');
const memberRequest = literal('"request":{');
const memberMethod = literal('"method":');
const memberUrl = literal('"url":');
const memberUserAgent = literal('"user_agent":');
const memberClientIp = literal('"client_ip":');
const memberForwarded = literal(',"x_forwarded_for":true');
const memberResponse = literal('"response":{');
const memberStatus = literal('"status":');
const memberSize = literal('"content_length":');

/** Writes nothing for a span that is not about HTTP. */
export function writeHttp(draft: Draft): void {
  if (!httpKeys.some((key) => draft.has(key))) return;
  const { page } = draft;
  page.put(memberHttp);
  const start = page.pos;
  writeRequest(draft);
  writeResponse(draft, start);
  draft.hasHttp = page.pos > start;
  if (draft.hasHttp) page.byte(closeBrace);
  else page.pos -= memberHttp.length;
}

function writeRequest(draft: Draft): void {
  const { page, restored } = draft;
  page.put(memberRequest);
  const start = page.pos;
  writeMethod(draft);
  writeUrl(draft, start);
  const agent = draft.showFirst(userAgent, userAgentOlder);
  if (agent >= 0) {
    separate(draft, start);
    page.put(memberUserAgent);
    page.text(draft.start(agent), draft.end(agent));
    restored.text(userAgent, draft.start(agent), draft.end(agent));
  }
  writeClient(draft, start);
  if (page.pos === start) page.pos -= memberRequest.length;
  else page.byte(closeBrace);
}

/** A comma behind whatever the object has so far. */
function separate({ page }: Draft, start: number): void {
  if (page.pos > start) page.byte(comma);
}

function writeMethod(draft: Draft): void {
  const { page } = draft;
  const place = draft.showFirst(method, methodOlder);
  if (place < 0) return;
  const start = draft.start(place);
  const end = draft.end(place);
  // `_OTHER` stands for a method that another attribute names.
  if (page.bytes[start] === 0x5f) draft.isUsual = false;
  page.put(memberMethod);
  page.text(start, end);
  draft.restored.text(method, start, end);
}

function writeUrl(draft: Draft, requestStart: number): void {
  const { page } = draft;
  const place = draft.showFirst(urlFull, urlOlder);
  let start = page.scratch;
  let end = start;
  if (place >= 0) {
    start = draft.start(place);
    end = draft.end(place);
    const other = draft.place(urlOlder);
    // Credentials are removed from both.
    if (other >= 0 && draft.shown[other] !== 1) draft.isUsual = false;
  } else {
    gatherUrl(draft);
    end = page.scratch;
    if (end === start) return;
  }
  separate(draft, requestStart);
  page.put(memberUrl);
  page.text(start, end);
  restoreUrl(draft, start, end);
}

/** Puts the URL together in the scratch area; a path alone when no host is known. */
function gatherUrl(draft: Draft): void {
  const { page } = draft;
  const isServer = draft.span.kind === SpanKind.server;
  const host = firstOf(draft, isServer ? serverHosts : clientHosts);
  if (host < 0) {
    gatherTarget(draft, false);
    return;
  }
  const isHeader = host === hostHeader;
  const port = isHeader ? -1 : firstOf(draft, isServer ? serverPorts : clientPorts);
  const portNumber = port < 0 ? -1 : draft.number(draft.place(port));
  show(draft, host);
  if (port >= 0) show(draft, port);
  const scheme = draft.showFirst(urlScheme, schemeOlder);

  const start = page.scratch;
  const isWhole =
    (scheme >= 0
      ? page.gather(draft.start(scheme), draft.end(scheme))
      : page.gatherAscii(portNumber === 443 ? 'https' : 'http')) && page.gatherAscii('://');
  if (!isWhole) draft.isUsual = false;
  const schemeText = decodeText(page.view, start, page.scratch - 3);
  gatherHost(draft, host, isHeader);
  const isDefault = portNumber < 0 || portNumber === (schemeText === 'http' ? 80 : schemeText === 'https' ? 443 : -1);
  if (!isDefault && !page.gatherAscii(`:${portNumber}`)) draft.isUsual = false;
  gatherTarget(draft, true);
}

function gatherHost(draft: Draft, key: number, isHeader: boolean): void {
  const { page } = draft;
  const place = draft.place(key);
  const start = draft.start(place);
  const end = draft.end(place);
  // IPv6 addresses stand in brackets.
  if (!isHeader) for (let i = start; i < end; i++) if (page.bytes[i] === 0x3a) draft.isUsual = false;
  if (!page.gather(start, end)) draft.isUsual = false;
}

function gatherTarget(draft: Draft, hasHost: boolean): void {
  const { page } = draft;
  const path = draft.place(urlPath);
  const query = draft.place(urlQuery);
  if (path < 0 && query < 0) {
    const whole = draft.place(target);
    if (whole >= 0) {
      draft.show(whole);
      if (!page.gather(draft.start(whole), draft.end(whole))) draft.isUsual = false;
    } else if (hasHost) page.gatherAscii('/');
    return;
  }
  if (path >= 0) {
    draft.show(path);
    if (!page.gather(draft.start(path), draft.end(path))) draft.isUsual = false;
  } else page.gatherAscii('/');
  if (query < 0) return;
  draft.show(query);
  const start = draft.start(query);
  if (page.bytes[start] !== 0x3f) page.gatherAscii('?');
  if (!page.gather(start, draft.end(query))) draft.isUsual = false;
}

function firstOf(draft: Draft, keys: readonly number[]): number {
  for (const key of keys) if (draft.has(key)) return key;
  return -1;
}

function show(draft: Draft, key: number): void {
  draft.show(draft.place(key));
}

/** What a reader makes of the URL: servers know it by its parts, clients know where it leads. */
function restoreUrl(draft: Draft, start: number, end: number): void {
  const { restored, url } = draft;
  restored.text(urlFull, start, end);
  if (!url.read(start, end)) draft.isUsual = false;
  if (!url.hasParts) return;
  const { isSegment } = draft;
  if (isSegment && url.isAbsolute) restored.text(urlScheme, url.schemeStart, url.schemeEnd);
  if (isSegment && url.pathEnd > url.pathStart) restored.text(urlPath, url.pathStart, url.pathEnd);
  if (isSegment && url.hasQuery) restored.text(urlQuery, url.queryStart, url.queryEnd);
  if (!url.isAbsolute) return;
  if (url.hostEnd > url.hostStart) restored.text(serverAddress, url.hostStart, url.hostEnd);
  const port = url.port >= 0 || isSegment ? url.port : url.defaultPort;
  if (port >= 0) restored.integer(serverPort, port);
}

/** `client_ip`, and whether it comes from a proxy's header. */
function writeClient(draft: Draft, requestStart: number): void {
  const { page, restored } = draft;
  const peer = draft.has(peerAddress) ? draft.place(peerAddress) : draft.place(netPeerIp);
  const stable = draft.place(clientAddress);
  const legacy = draft.place(clientIp);
  let client = -1;
  if (stable >= 0 && isAddressAt(draft, stable)) client = draft.showFirst(clientAddress, clientIp);
  else if (legacy >= 0) {
    client = legacy;
    draft.show(legacy);
  } else if (draft.span.kind === SpanKind.server && peer >= 0 && isAddressAt(draft, peer))
    client = draft.showFirst(peerAddress, netPeerIp);
  if (client < 0) return;

  separate(draft, requestStart);
  page.put(memberClientIp);
  page.text(draft.start(client), draft.end(client));
  restored.text(clientAddress, draft.start(client), draft.end(client));
  // Under the older conventions it was taken from a proxy's header, and the peer tells when it was not.
  const isForwarded = stable < 0 && legacy >= 0 ? peer < 0 : peer >= 0 && !draft.sameValue(peer, client);
  if (!isForwarded) return;
  page.put(memberForwarded);
  restored.other(forwardedFor);
}

function isAddressAt(draft: Draft, place: number): boolean {
  const start = draft.start(place);
  const end = draft.end(place);
  return isPlainAddress(draft.page.bytes, start, end) || isAddress(decodeText(draft.page.view, start, end));
}

/** An IPv4 address as nearly all are; the conversion decides about the others. */
function isPlainAddress(bytes: Uint8Array, start: number, end: number): boolean {
  let dots = 0;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const code = bytes[i] ?? 0;
    if (code >= 0x30 && code <= 0x39 && digits < 3) digits++;
    else if (code === 0x2e && digits > 0) {
      dots++;
      digits = 0;
    } else return false;
  }
  return dots === 3 && digits > 0;
}

function writeResponse(draft: Draft, httpStart: number): void {
  const { page, restored } = draft;
  const code = draft.showFirst(status, statusOlder);
  const size = draft.showFirst(bodySize, bodySizeOlder);
  if (code < 0 && size < 0) return;
  separate(draft, httpStart);
  page.put(memberResponse);
  if (code >= 0) {
    page.put(memberStatus);
    page.integer(draft.number(code));
    restored.integer(status, draft.number(code));
  }
  if (size >= 0) {
    if (code >= 0) page.byte(comma);
    page.put(memberSize);
    page.integer(draft.number(size));
    restored.integer(bodySize, draft.number(size));
  }
  page.byte(closeBrace);
}
