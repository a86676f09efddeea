import { colon } from '../../codec/json-bytes.ts';
import type { Page } from './page.ts';

/** A URL's parts as ranges of the page; see `splitUrl` of the conversion, which decides about all others. */
export class UrlOffsets {
  /** False for a text that is neither an absolute URL nor a path. */
  hasParts = false;
  isAbsolute = false;
  schemeStart = 0;
  schemeEnd = 0;
  hostStart = 0;
  hostEnd = 0;
  /** -1 for none. */
  port = -1;
  /** Empty when there is none. */
  pathStart = 0;
  pathEnd = 0;
  hasQuery = false;
  queryStart = 0;
  queryEnd = 0;

  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** False when the text is not usual: fragments, user names, addresses in brackets, ports that are none. */
  read(start: number, end: number): boolean {
    const { bytes } = this.page;
    this.hasParts = this.isAbsolute = this.hasQuery = false;
    this.port = -1;
    for (let i = start; i < end; i++) if (unusual[bytes[i] ?? 0] === 1) return false;
    if (bytes[start] === slash) {
      this.hasParts = true;
      return this.pathAndQuery(start, end);
    }
    let pos = start;
    while (pos < end && schemeCharacters[bytes[pos] ?? 0] === 1) pos++;
    const isAbsolute = bytes[pos] === colon && bytes[pos + 1] === slash && bytes[pos + 2] === slash && pos + 2 < end;
    // `HTTP://` and `jdbc:…` are for the conversion to read.
    if (!isAbsolute) return !this.hasColon(start, end);
    const first = bytes[start] ?? 0;
    if (first < 0x61 || first > 0x7a) return false;
    this.hasParts = this.isAbsolute = true;
    this.schemeStart = start;
    this.schemeEnd = pos;
    return this.authority(pos + 3, end);
  }

  private hasColon(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.page.bytes[i] === colon) return true;
    return false;
  }

  private authority(start: number, end: number): boolean {
    const { bytes } = this.page;
    let pos = start;
    while (pos < end && bytes[pos] !== slash && bytes[pos] !== question && bytes[pos] !== colon) pos++;
    this.hostStart = start;
    this.hostEnd = pos;
    if (bytes[pos] === colon && pos < end) {
      const digitsStart = ++pos;
      let port = 0;
      while (pos < end && isDigit(bytes[pos] ?? 0)) port = port * 10 + (bytes[pos++] ?? 0) - 0x30;
      if (pos === digitsStart || pos - digitsStart > 5) return false;
      if (pos < end && bytes[pos] !== slash && bytes[pos] !== question) return false;
      this.port = port;
    }
    return this.pathAndQuery(pos, end);
  }

  private pathAndQuery(start: number, end: number): boolean {
    const { bytes } = this.page;
    let pos = start;
    while (pos < end && bytes[pos] !== question) pos++;
    this.pathStart = start;
    this.pathEnd = pos;
    if (pos < end) {
      this.hasQuery = true;
      this.queryStart = pos + 1;
      this.queryEnd = end;
    }
    return true;
  }

  /** The port that the scheme stands for; -1 for a scheme that stands for none. */
  get defaultPort(): number {
    const { bytes } = this.page;
    const length = this.schemeEnd - this.schemeStart;
    if (!this.isAbsolute || length < 4 || length > 5) return -1;
    for (let i = 0; i < 4; i++) if (bytes[this.schemeStart + i] !== http[i]) return -1;
    if (length === 4) return 80;
    return bytes[this.schemeStart + 4] === letterS ? 443 : -1;
  }
}

const slash = 0x2f;
const question = 0x3f;
const letterS = 0x73;
const http = new TextEncoder().encode('http');

const unusual = new Uint8Array(256);
for (const character of '#@[]') unusual[character.charCodeAt(0)] = 1;

const schemeCharacters = new Uint8Array(256);
for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789+.-') schemeCharacters[character.charCodeAt(0)] = 1;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
