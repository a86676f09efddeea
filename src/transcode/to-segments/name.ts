import { decodeText } from '../../codec/utf8.ts';
import { awsServiceName, illegalName, legalName, sdkPrefix } from '../../convert/name.ts';
import { SpanKind } from '../../model/index.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';

/** `name` of a subsegment, as the conversion's `name.ts` finds it. */

const remoteService = keyNumber('aws.remote.service');
const peerServiceStable = keyNumber('service.peer.name');
const peerService = keyNumber('peer.service');
const awsService = keyNumber('aws.service');
const rpcSystem = keyNumber('rpc.system');
const rpcSystemName = keyNumber('rpc.system.name');
const rpcMethod = keyNumber('rpc.method');
const rpcService = keyNumber('rpc.service');
const databaseSystem = keyNumber('db.system.name');
const databaseSystemOlder = keyNumber('db.system');
const databaseName = keyNumber('db.namespace');
const databaseNameOlder = keyNumber('db.name');
const destinationName = keyNumber('messaging.destination.name');
const destinationOlder = keyNumber('messaging.destination');
const messagingSystem = keyNumber('messaging.system');
const urlFull = keyNumber('url.full');
const urlOlder = keyNumber('http.url');
const httpHost = keyNumber('http.host');
const serverAddress = keyNumber('server.address');
const peerName = keyNumber('net.peer.name');
const socketPeerName = keyNumber('net.sock.peer.name');
const peerAddress = keyNumber('network.peer.address');

export function findName(draft: Draft): void {
  const { span } = draft;
  const isCall = span.kind === SpanKind.client || span.kind === SpanKind.producer;
  if (isCall && findCallee(draft)) return;
  if (setName(draft, span.nameStart, span.nameEnd)) return;
  const start = draft.page.scratch;
  draft.page.gatherText(illegalName);
  setRange(draft, start, draft.page.scratch);
}

function findCallee(draft: Draft): boolean {
  return (
    setRemoteService(draft) ||
    setValue(draft, draft.has(peerServiceStable) ? peerServiceStable : peerService) ||
    (draft.has(awsService) ? setValue(draft, awsService) : isAwsRpc(draft) && setAwsService(draft)) ||
    setDatabase(draft) ||
    setRpcService(draft) ||
    setValue(draft, draft.has(destinationName) ? destinationName : destinationOlder) ||
    setValue(draft, messagingSystem) ||
    setUrlHost(draft, draft.has(urlFull) ? urlFull : urlOlder) ||
    setHostHeader(draft) ||
    setValue(draft, serverAddress) ||
    setValue(draft, peerName) ||
    setValue(draft, socketPeerName) ||
    setValue(draft, peerAddress)
  );
}

export function isAwsRpc(draft: Draft): boolean {
  return isAwsApi(draft, rpcSystemName) || isAwsApi(draft, rpcSystem);
}

function isAwsApi(draft: Draft, key: number): boolean {
  const place = draft.place(key);
  return place >= 0 && decodeText(draft.page.view, draft.start(place), draft.end(place)) === 'aws-api';
}

function setValue(draft: Draft, key: number): boolean {
  const place = draft.place(key);
  return place >= 0 && setName(draft, draft.start(place), draft.end(place));
}

/** Of AWS calls without the prefix that Application Signals gives it. */
function setRemoteService(draft: Draft): boolean {
  const place = draft.place(remoteService);
  if (place < 0) return false;
  const start = draft.start(place);
  const service = decodeText(draft.page.view, start, draft.end(place));
  const prefix = isAwsRpc(draft) ? (sdkPrefix.exec(service)?.[0] ?? '') : '';
  return setName(draft, start + prefix.length, draft.end(place));
}

/** The service of an AWS call, in X-Ray's spelling. */
function setAwsService(draft: Draft): boolean {
  const start = rpcServiceStart(draft);
  const end = rpcServiceEnd(draft);
  if (start === end) return false;
  const service = decodeText(draft.page.view, start, end);
  const name = awsServiceName(service);
  return name === service ? setName(draft, start, end) : setText(draft, name ?? '');
}

function setRpcService(draft: Draft): boolean {
  return setName(draft, rpcServiceStart(draft), rpcServiceEnd(draft));
}

function rpcServiceStart(draft: Draft): number {
  return draft.start(draft.has(rpcService) ? draft.place(rpcService) : draft.place(rpcMethod));
}

/** The stable conventions name service and method in one: `com.foo.AnimalService/Feed`. */
function rpcServiceEnd(draft: Draft): number {
  if (draft.has(rpcService)) return draft.end(draft.place(rpcService));
  const place = draft.place(rpcMethod);
  const start = draft.start(place);
  let end = draft.end(place);
  while (end > start && draft.page.bytes[end - 1] !== 0x2f) end--;
  return Math.max(start, end - 1);
}

/** `database@host`, or the system alone. */
function setDatabase(draft: Draft): boolean {
  const name = draft.has(databaseName) ? databaseName : databaseNameOlder;
  if (!draft.has(name)) return setValue(draft, draft.has(databaseSystem) ? databaseSystem : databaseSystemOlder);

  const host = draft.has(serverAddress) ? serverAddress : peerName;
  if (!draft.has(host)) return setValue(draft, name);
  const { page } = draft;
  const start = page.scratch;
  const isWhole =
    page.gather(draft.start(draft.place(name)), draft.end(draft.place(name))) &&
    page.gatherAscii('@') &&
    page.gather(draft.start(draft.place(host)), draft.end(draft.place(host)));
  if (!isWhole) draft.isUsual = false;
  return setName(draft, start, page.scratch);
}

function setUrlHost(draft: Draft, key: number): boolean {
  const { url } = draft;
  const place = draft.place(key);
  if (place < 0) return false;
  if (!url.read(draft.start(place), draft.end(place))) draft.isUsual = false;
  return url.isAbsolute && setName(draft, url.hostStart, url.hostEnd);
}

/** The Host header without its port. */
function setHostHeader(draft: Draft): boolean {
  const place = draft.place(httpHost);
  if (place < 0) return false;
  const { bytes } = draft.page;
  const start = draft.start(place);
  const end = draft.end(place);
  let digits = end;
  while (digits > start && isDigit(bytes[digits - 1] ?? 0)) digits--;
  const hasPort = end > digits && end - digits <= 5 && digits > start && bytes[digits - 1] === 0x3a;
  return setName(draft, start, hasPort ? digits - 1 : end);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** 1 for the ASCII characters that a name may have. */
const legal = new Uint8Array(256);
for (let code = 0; code < 128; code++) legal[code] = legalName(String.fromCharCode(code)) === '' ? 0 : 1;

/** Up to this many bytes there cannot be too many characters. */
const shortBytesMax = 200;

/** False when nothing is left of the text. */
function setName(draft: Draft, start: number, end: number): boolean {
  if (end === start) return false;
  const { bytes } = draft.page;
  let isLegal = end - start <= shortBytesMax;
  for (let i = start; isLegal && i < end; i++) isLegal = legal[bytes[i] ?? 0] === 1;
  if (!isLegal) return setText(draft, decodeText(draft.page.view, start, end));
  setRange(draft, start, end);
  return true;
}

function setText(draft: Draft, text: string): boolean {
  const name = legalName(text);
  if (name === '') return false;
  const start = draft.page.scratch;
  if (!draft.page.gatherText(name)) draft.isUsual = false;
  setRange(draft, start, draft.page.scratch);
  return true;
}

function setRange(draft: Draft, start: number, end: number): void {
  draft.nameStart = start;
  draft.nameEnd = end;
}
