import type { Span } from '../../model/index.ts';
import { SpanKind } from '../../model/index.ts';
import { isLocalRoot } from '../identity.ts';
import { nameLengthMax, sdkPrefix } from '../name.ts';
import { isAwsSdkCall, textIn } from './view.ts';

/**
 * `name` and `namespace`, by the rules of the Collector's exporter (segment.go). Only the span's
 * own name is made legal for X-Ray; names of services go as they are.
 */

export function writeName(span: Span): string {
  const { attributes, kind } = span;
  const hasServiceName = kind === SpanKind.server || (kind === SpanKind.consumer && isLocalRoot(span));
  return (
    serviceOrPeer(span) ||
    textIn(attributes, 'aws.service') ||
    databaseName(span) ||
    (hasServiceName ? textIn(span.resource.attributes, 'service.name') : '') ||
    textIn(attributes, 'rpc.service') ||
    textIn(attributes, 'http.host') ||
    textIn(attributes, 'net.peer.name') ||
    legalName(span.name)
  );
}

/** `aws` also where the name would come from `aws.service`, even an empty one. */
export function writeNamespace(span: Span): string | undefined {
  if (isAwsSdkCall(span)) return 'aws';
  if (serviceOrPeer(span) === '' && span.attributes.has('aws.service')) return 'aws';
  return span.kind === SpanKind.client || span.kind === SpanKind.producer ? 'remote' : undefined;
}

/** The sources of a name that go before `aws.service`. */
function serviceOrPeer(span: Span): string {
  const { attributes, kind } = span;
  const isService = kind === SpanKind.server;
  const mayBeService = kind === SpanKind.internal || kind === SpanKind.consumer;
  const isCall = kind === SpanKind.client || kind === SpanKind.producer || kind === SpanKind.consumer;
  return (
    (isService || (mayBeService && isLocalRoot(span)) ? textIn(attributes, 'aws.local.service') : '') ||
    (isCall ? remoteService(span) : '') ||
    textIn(attributes, 'peer.service')
  );
}

/** What was called, without the prefix that instrumentations of AWS SDKs put before it. */
export function remoteService(span: Span): string {
  const name = textIn(span.attributes, 'aws.remote.service');
  return isAwsSdkCall(span) ? name.replace(sdkPrefix, '') : name;
}

const hostPattern = /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#@]*@)?(?:\[([^\]/?#]*)\]|([^:/?#]*))(?::\d*)?(?:[/?#]|$)/i;

/** `database@host` where the connection string is a URL. */
function databaseName({ attributes }: Span): string {
  if (!attributes.has('db.name')) return '';
  const url = textIn(attributes, 'db.connection_string').replace(/^jdbc:/, '');
  const [, bracketed, plain] = hostPattern.exec(url) ?? [];
  const host = bracketed ?? plain ?? '';
  return `${textIn(attributes, 'db.name')}${host === '' ? '' : `@${host}`}`;
}

/** Stricter than X-Ray, which allows digits and white space of any script, and the backslash. */
const illegalCharacters = /[^ 0-9\p{L}_.:/%&#=+\-@]/gu;

/** The limit counts bytes; one that falls into a character leaves a replacement for each byte of it. */
function legalName(text: string): string {
  const legal = text.replaceAll(illegalCharacters, '');
  let sizeBytes = 0;
  let end = 0;
  for (const character of legal) {
    const nextBytes = sizeBytes + utf8Bytes(character);
    if (nextBytes > nameLengthMax) return legal.slice(0, end) + '\ufffd'.repeat(nameLengthMax - sizeBytes);
    sizeBytes = nextBytes;
    end += character.length;
  }
  return legal || 'span';
}

function utf8Bytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
