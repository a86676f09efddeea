import { colon } from '../../codec/json-bytes.ts';
import { unusual } from './literals.ts';

/** The parts of a URL where they stand, as `splitUrl` of `convert/url.ts` finds them. */
export interface UrlPlaces {
  /** -1 when the URL is a path alone. */
  schemeStart: number;
  schemeEnd: number;
  hostStart: number;
  /** Equal to the start when there is no host. */
  hostEnd: number;
  /** -1 when there is none. */
  port: number;
  /** -1 when there is none. */
  pathStart: number;
  pathEnd: number;
  /** -1 when there is none. */
  queryStart: number;
  queryEnd: number;
}

/** A place to write to: there is one for all URLs. */
export const urlPlaces: UrlPlaces = {
  schemeStart: -1,
  schemeEnd: -1,
  hostStart: -1,
  hostEnd: -1,
  port: -1,
  pathStart: -1,
  pathEnd: -1,
  queryStart: -1,
  queryEnd: -1,
};

const portDigitsMax = 5;

/**
 * Fills `urlPlaces`. False for a text that is neither an absolute URL nor a path.
 * @throws unusual for upper case and brackets, for credentials, and for what only looks like a URL.
 */
export function splitUrlAt(bytes: Uint8Array, start: number, end: number): boolean {
  // jdbc: is a prefix of the scheme, not part of the address.
  const schemeStart = startsWithJdbc(bytes, start, end) ? start + 5 : start;
  const schemeEnd = schemeEndAt(bytes, schemeStart, end);
  const isAbsolute = schemeEnd > schemeStart && isAuthorityMark(bytes, schemeEnd, end);
  urlPlaces.schemeStart = isAbsolute ? schemeStart : -1;
  urlPlaces.schemeEnd = schemeEnd;
  urlPlaces.hostStart = -1;
  urlPlaces.hostEnd = -1;
  urlPlaces.port = -1;
  urlPlaces.pathStart = -1;
  urlPlaces.queryStart = -1;
  if (isAbsolute) takeAuthority(bytes, schemeEnd + 3, end);
  else if (start < end && bytes[start] === slash) takePath(bytes, start, end);
  else {
    for (let i = start; i < end; i++) if (isAuthorityMark(bytes, i, end)) throw unusual;
    return false;
  }
  return true;
}

function startsWithJdbc(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = 0; i < jdbc.length; i++) if (start + i >= end || bytes[start + i] !== jdbc[i]) return false;
  return bytes[start + jdbc.length] !== slash;
}

const jdbc = Uint8Array.from('jdbc:', (letter) => letter.charCodeAt(0));

/** End of the letters that a scheme can have; upper case is for the slow path. */
function schemeEndAt(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] ?? 0;
  if (first < 0x61 || first > 0x7a) return start;
  let at = start;
  while (at < end && isSchemeByte[bytes[at] ?? 0] === 1) at += 1;
  return at;
}

function isAuthorityMark(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 2 < end && bytes[at] === colon && bytes[at + 1] === slash && bytes[at + 2] === slash;
}

function takeAuthority(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end && isHostEnd[bytes[at] ?? 0] === 0) at += 1;
  urlPlaces.hostStart = start;
  urlPlaces.hostEnd = at;
  if (at < end && bytes[at] === colon) at = takePort(bytes, at + 1, end);
  if (at < end && isPathStart[bytes[at] ?? 0] === 0) throw unusual;
  takePath(bytes, at, end);
}

function takePort(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let port = 0;
  for (; at < end && isDigit(bytes[at] ?? 0); at++) port = port * 10 + ((bytes[at] ?? 0) - 0x30);
  if (at === start || at - start > portDigitsMax) throw unusual;
  urlPlaces.port = port;
  return at;
}

function takePath(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  if (at < end && bytes[at] === slash) {
    while (at < end && bytes[at] !== question && bytes[at] !== hash) at += 1;
    urlPlaces.pathStart = start;
    urlPlaces.pathEnd = at;
  }
  if (at === end || bytes[at] !== question) return;
  urlPlaces.queryStart = at + 1;
  while (at < end && bytes[at] !== hash) at += 1;
  urlPlaces.queryEnd = at;
}

/** Whether a text may be a connection string with a password in it, for which `withoutPassword` is to decide. */
export function mayHoldPassword(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === atSign) return true;
    if (byte !== equals || i === start) continue;
    const before = bytes[i - 1] ?? 0;
    // `password` and `pwd` end with it; white space may stand between.
    if ((before | 0x20) === letterD || before <= 0x20 || before >= 0x80) return true;
  }
  return false;
}

const slash = 0x2f;
const question = 0x3f;
const hash = 0x23;
const atSign = 0x40;
const equals = 0x3d;
const letterD = 0x64;

function table(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (characters.test(String.fromCharCode(byte)) ? 1 : 0));
}

const isSchemeByte = table(/[a-z0-9+.-]/);
/** Brackets and credentials end the host too, and are for the slow path. */
const isHostEnd = table(/[:/?#@[\]]/);
const isPathStart = table(/[/?#]/);

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
